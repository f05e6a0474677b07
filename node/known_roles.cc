#include "node/known_roles.h"

#include <nlohmann/json.hpp>

#include "common/base/files.h"

namespace hawser {

Result<std::vector<VolumeFact>> ReadKnownRoles(const std::string& path) {
  HAWSER_ASSIGN(const auto content, ReadFileIfThere(path));
  if (!content) return std::vector<VolumeFact>();
  try {
    std::vector<VolumeFact> facts;
    const auto json = nlohmann::json::parse(*content);
    for (const auto& [volume, fact] : json.items()) {
      facts.push_back({VolumeName(volume), NodeName(fact.at("primary").get<std::string>()),
                       Generation(fact.at("generation").get<std::uint64_t>())});
    }
    return facts;
  } catch (const std::exception& problem) {
    return Error{EBADMSG, "the known roles in '" + path + "' can't be read (" + problem.what() +
                              "); remove the file and start again with the relay running"};
  }
}

Status WriteKnownRoles(const std::string& path, const std::vector<VolumeFact>& facts) {
  nlohmann::json json = nlohmann::json::object();
  for (const VolumeFact& fact : facts) {
    json[fact.volume.value] = {{"primary", fact.primary.value}, {"generation", fact.generation.value}};
  }
  const std::string text = json.dump(2) + "\n";
  const auto written = ReadFileIfThere(path);
  if (written && *written == text) return {};
  return WriteFileAtomically(path, text);
}

}  // namespace hawser
