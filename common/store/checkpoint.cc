#include "common/store/checkpoint.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "common/base/files.h"

namespace hawser {

namespace {

std::array<std::byte, 16> FromHex(const std::string& text) {
  std::array<std::byte, 16> bytes{};
  if (text.size() != 2 * bytes.size()) throw std::invalid_argument("not 32 hex digits");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    unsigned value = 0;
    const char* digits = text.data() + 2 * i;
    if (std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) throw std::invalid_argument("not hex");
    bytes[i] = static_cast<std::byte>(value);
  }
  return bytes;
}

Checkpoint FromJson(const nlohmann::json& json) {
  Checkpoint checkpoint;
  Position& position = checkpoint.progress.position;
  position.journal.bytes = FromHex(json.at("journal").get<std::string>());
  position.sequence = Sequence(json.at("sequence").get<std::uint64_t>());
  position.group = Group(json.at("group").get<std::uint64_t>());
  position.digest.bytes = FromHex(json.at("digest").get<std::string>());
  checkpoint.progress.journal_bytes = json.at("journal_bytes").get<std::uint64_t>();
  checkpoint.progress.time.nanoseconds = json.at("time").get<std::int64_t>();
  checkpoint.clean = json.at("clean").get<bool>();
  return checkpoint;
}

}  // namespace

Result<std::optional<Checkpoint>> ReadCheckpoint(const std::string& path) {
  auto content = ReadFile(path);
  if (!content && content.error().code == ENOENT) return std::optional<Checkpoint>();
  if (!content) return std::move(content).error();
  try {
    return std::optional(FromJson(nlohmann::json::parse(*content)));
  } catch (const std::exception& problem) {
    return Error{EBADMSG, "the checkpoint '" + path + "' can't be understood (" + problem.what() + ")"};
  }
}

Status WriteCheckpoint(const std::string& path, const Checkpoint& checkpoint) {
  const Position& position = checkpoint.progress.position;
  const nlohmann::json json = {{"journal", position.journal.Hex()},
                               {"sequence", position.sequence.value},
                               {"group", position.group.value},
                               {"digest", position.digest.Hex()},
                               {"journal_bytes", checkpoint.progress.journal_bytes},
                               {"time", checkpoint.progress.time.nanoseconds},
                               {"clean", checkpoint.clean}};
  return WriteFileAtomically(path, json.dump(2) + "\n");
}

}  // namespace hawser
