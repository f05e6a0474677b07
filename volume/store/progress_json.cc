#include "volume/store/progress_json.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace hawser {

namespace {

std::array<std::byte, 16> FromHex(const std::string& text) {
  std::array<std::byte, 16> bytes{};
  if (text.size() != 2 * bytes.size()) throw std::invalid_argument("not 32 hex digits");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    unsigned value = 0;
    const char* digits = text.data() + 2 * i;
    if (std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2)
      throw std::invalid_argument("not hex");
    bytes[i] = static_cast<std::byte>(value);
  }
  return bytes;
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
  position.journal.bytes = FromHex(json.at("journal").get<std::string>());
  position.sequence = Sequence(json.at("sequence").get<std::uint64_t>());
  position.group = Group(json.at("group").get<std::uint64_t>());
  position.digest.bytes = FromHex(json.at("digest").get<std::string>());
  progress.journal_bytes = json.at("journal_bytes").get<std::uint64_t>();
  progress.time.nanoseconds = json.at("time").get<std::int64_t>();
  return progress;
}

}  // namespace hawser
