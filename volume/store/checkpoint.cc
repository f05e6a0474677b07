#include "volume/store/checkpoint.h"

#include <nlohmann/json.hpp>

#include "common/base/files.h"
#include "volume/store/progress_json.h"

namespace hawser {

Result<std::optional<Checkpoint>> ReadCheckpoint(const std::string& path) {
  HAWSER_ASSIGN(const auto content, ReadFileIfThere(path));
  if (!content) return std::optional<Checkpoint>();
  try {
    const auto json = nlohmann::json::parse(*content);
    return std::optional(Checkpoint{ProgressFromJson(json), json.at("clean").get<bool>(),
                                    json.at("mark").get<std::uint64_t>(), json.at("beyond_own").get<bool>()});
  } catch (const std::exception& problem) {
    return Error{EBADMSG,
                 "the checkpoint '" + path + "' can't be understood (" + problem.what() +
                     "); remove the file: all that the journal has is redone then, or the volume needs "
                     "a sync"};
  }
}

Status WriteCheckpoint(const std::string& path, const Checkpoint& checkpoint) {
  nlohmann::json json = ToJson(checkpoint.progress);
  json["clean"] = checkpoint.clean;
  json["mark"] = checkpoint.mark;
  json["beyond_own"] = checkpoint.beyond_own;
  return WriteFileAtomically(path, json.dump(2) + "\n");
}

}  // namespace hawser
