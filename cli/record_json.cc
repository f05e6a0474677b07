#include "cli/record_json.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/output.h"

namespace hawser::cli {
namespace {

Json Of(const StorePath& path) { return Utf8(path.text()); }
Json Of(Timestamp time) { return IsoTime(time); }
Json Of(FileId id) { return id.value; }
Json Of(const FileState& state) { return {{"size", state.size}, {"mtime", Of(state.mtime)}}; }

Json Of(std::uint32_t number) { return number; }
std::string Octal(std::uint32_t mode) { return fmt::format("{:04o}", mode); }

template <class T>
void PutIfSet(Json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = Of(*value);
}

// What the records that change a file's content have in common.
template <class Change>
void PutChange(Json& json, const Change& body) {
  json["before"] = Of(body.before);
  json["mtime"] = Of(body.mtime);
  if (body.mode) json["mode"] = Octal(*body.mode);
}

const char* NameOf(NodeKind kind) {
  switch (kind) {
    case NodeKind::kRegular:
      return "regular";
    case NodeKind::kDirectory:
      return "directory";
    case NodeKind::kSymlink:
      return "symlink";
    case NodeKind::kFifo:
      return "fifo";
    case NodeKind::kSocket:
      return "socket";
    case NodeKind::kCharDevice:
      return "char_device";
    case NodeKind::kBlockDevice:
      return "block_device";
  }
  return "unknown";
}

const char* NameOf(RenameMode mode) {
  switch (mode) {
    case RenameMode::kReplace:
      return "replace";
    case RenameMode::kNoReplace:
      return "noreplace";
    case RenameMode::kExchange:
      return "exchange";
  }
  return "unknown";
}

Json Fields(const Write& body) {
  Json json{{"offset", body.offset}, {"length", body.length}};
  PutChange(json, body);
  return json;
}
Json Fields(const Truncate& body) {
  Json json{{"size", body.size}};
  PutChange(json, body);
  return json;
}
Json Fields(const Allocate& body) {
  Json json{{"flags", body.flags}, {"offset", body.offset}, {"length", body.length}};
  PutChange(json, body);
  return json;
}
Json Fields(const Create& body) {
  return {{"node_kind", NameOf(body.kind)},
          {"mode", Octal(body.mode)},
          {"uid", body.uid},
          {"gid", body.gid},
          {"device", body.device},
          {"target", Utf8(body.target)},
          {"time", Of(body.time)}};
}
Json Fields(const Link& body) { return {{"new_path", Of(body.new_path)}, {"time", Of(body.time)}}; }
Json Fields(const Unlink& body) { return {{"time", Of(body.time)}}; }
Json Fields(const Rmdir& body) { return {{"time", Of(body.time)}}; }
Json Fields(const Rename& body) {
  Json json{{"new_path", Of(body.new_path)}, {"rename_mode", NameOf(body.mode)}, {"time", Of(body.time)}};
  if (body.replaced) json["replaced"] = Of(*body.replaced);
  return json;
}
Json Fields(const SetAttr& body) {
  Json json = Json::object();
  if (body.mode) json["mode"] = Octal(*body.mode);
  PutIfSet(json, "uid", body.uid);
  PutIfSet(json, "gid", body.gid);
  PutIfSet(json, "atime", body.atime);
  PutIfSet(json, "mtime", body.mtime);
  return json;
}
Json Fields(const SetXattr& body) { return {{"name", Utf8(body.name)}}; }
Json Fields(const RemoveXattr& body) { return {{"name", Utf8(body.name)}}; }
Json Fields(const Promote& body) { return {{"node", body.node.value}}; }
Json Fields(const NodeSession& body) {
  Json runs = Json::array();
  for (const AnsweredRun& run : body.answered) {
    runs.push_back({{"number", run.number},
                    {"count", run.count},
                    {"sequence", run.sequence.value},
                    {"group", run.group.position.group.value}});
  }
  return {{"answered", std::move(runs)}};
}
Json Fields(const Mark& body) { return {{"text", Utf8(body.text)}}; }

}  // namespace

Json ToJson(const Record& record, std::size_t payload_bytes) {
  return std::visit(
      [&](const auto& body) {
        Json json = Fields(body);
        if constexpr (requires { body.file; }) {
          json["file"] = Of(body.file);
          json["path"] = Of(body.path);
        }
        json["kind"] = KindName(record.body);
        json["volume"] = record.volume.value;
        json["generation"] = record.generation.value;
        json["payload_bytes"] = payload_bytes;
        json["origin"] = {{"node", record.origin.node.value},
                          {"session", record.origin.session},
                          {"number", record.origin.number}};
        return json;
      },
      record.body);
}

std::string IsoTime(Timestamp time) {
  const timespec parts = time.ToTimespec();
  tm utc{};
  ::gmtime_r(&parts.tv_sec, &utc);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z", utc, parts.tv_nsec);
}

}  // namespace hawser::cli
