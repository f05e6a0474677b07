#include "volume/store/progress_json.h"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace hawser {

namespace {

std::array<std::byte, 16> BytesOf(const nlohmann::json& json, const char* key) {
  const auto digest = Digest::FromHex(json.at(key).get<std::string>());
  if (!digest) throw std::invalid_argument(std::string(key) + " is not 32 hex digits");
  return digest->bytes;
}

}  // namespace

nlohmann::json ToJson(const Progress& progress) {
  const Position& position = progress.position;
  return {{"journal", position.journal.Hex()},       {"sequence", position.sequence.value},
          {"group", position.group.value},           {"digest", position.digest.Hex()},
          {"journal_bytes", progress.journal_bytes}, {"time", progress.time.nanoseconds}};
}

Progress ProgressFromJson(const nlohmann::json& json) {
  Progress progress;
  Position& position = progress.position;
  position.journal.bytes = BytesOf(json, "journal");
  position.sequence = Sequence(json.at("sequence").get<std::uint64_t>());
  position.group = Group(json.at("group").get<std::uint64_t>());
  position.digest.bytes = BytesOf(json, "digest");
  progress.journal_bytes = json.at("journal_bytes").get<std::uint64_t>();
  progress.time.nanoseconds = json.at("time").get<std::int64_t>();
  return progress;
}

}  // namespace hawser
