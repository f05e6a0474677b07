#include "cli/record_json.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/output.h"
#include "common/record/kinds.h"

namespace hawser::cli {
namespace {

Json Of(const StorePath& path) { return Utf8(path.text()); }
Json Of(const std::string& text) { return Utf8(text); }
Json Of(const NodeName& node) { return node.value; }
Json Of(Timestamp time) { return IsoTime(time); }
Json Of(FileId id) { return id.value; }
Json Of(Sequence sequence) { return sequence.value; }
Json Of(bool yes) { return yes; }
Json Of(NodeKind kind) { return NameOf(kind); }
Json Of(RenameMode mode) { return NameOf(mode); }
Json Of(const FileState& state) { return {{"size", state.size}, {"mtime", Of(state.mtime)}}; }
Json Of(const AnsweredRun& run) {
  return {{"number", run.number},
          {"count", run.count},
          {"sequence", run.sequence.value},
          {"group", run.group.position.group.value}};
}
Json Of(std::uint64_t number) { return number; }
Json Of(std::uint32_t number) { return number; }
Json Of(const std::vector<AnsweredRun>& runs) {
  Json json = Json::array();
  for (const AnsweredRun& run : runs) json.push_back(Of(run));
  return json;
}

// One overload a type of field: how it is shown. What is not set is left out.
struct Show {
  Json& json;

  template <class T>
  void operator()(const char* name, const T& value) const {
    json[name] = Of(value);
  }
  void operator()(const char* name, std::uint32_t value) const {
    const bool is_octal = std::string_view(name) == "mode";
    json[name] = is_octal ? Json(fmt::format("{:04o}", value)) : Of(value);
  }
  template <class T>
  void operator()(const char* name, const std::optional<T>& value) const {
    if (value) (*this)(name, *value);
  }
};

}  // namespace

Json ToJson(const Record& record, std::size_t payload_bytes) {
  Json json = Json::object();
  std::visit([&](const auto& body) { ForEachField(body, Show{json}); }, record.body);
  json["kind"] = KindName(record.body);
  json["volume"] = record.volume.value;
  json["generation"] = record.generation.value;
  json["payload_bytes"] = payload_bytes;
  json["origin"] = {{"node", record.origin.node.value},
                    {"session", record.origin.session},
                    {"number", record.origin.number}};
  if (record.remedy) json["remedy_of"] = record.remedy->refused.value;
  return json;
}

std::string IsoTime(Timestamp time) {
  const timespec parts = time.ToTimespec();
  tm utc{};
  ::gmtime_r(&parts.tv_sec, &utc);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z", utc, parts.tv_nsec);
}

}  // namespace hawser::cli
