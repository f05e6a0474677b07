#include "common/record/codec.h"

#include <fmt/format.h>

#include <type_traits>

#include "common/record/pack.h"
#include "common/record/pack_position.h"

// Each kind lists its fields once, in Fields(); encoding and decoding walk the same list, so they cannot
// drift apart.

namespace hawser {

namespace {

// The numbers of the kinds on the wire and on disk. Never reuse one. 32 to 47 are kept for sync and digest
// records.
template <class T>
constexpr std::uint64_t kKindNumber = 0;
template <>
constexpr std::uint64_t kKindNumber<Write> = 1;
template <>
constexpr std::uint64_t kKindNumber<Truncate> = 2;
template <>
constexpr std::uint64_t kKindNumber<Allocate> = 3;
template <>
constexpr std::uint64_t kKindNumber<Create> = 4;
template <>
constexpr std::uint64_t kKindNumber<Link> = 5;
template <>
constexpr std::uint64_t kKindNumber<Unlink> = 6;
template <>
constexpr std::uint64_t kKindNumber<Rmdir> = 7;
template <>
constexpr std::uint64_t kKindNumber<Rename> = 8;
template <>
constexpr std::uint64_t kKindNumber<SetAttr> = 9;
template <>
constexpr std::uint64_t kKindNumber<SetXattr> = 10;
template <>
constexpr std::uint64_t kKindNumber<RemoveXattr> = 11;
template <>
constexpr std::uint64_t kKindNumber<Promote> = 16;
template <>
constexpr std::uint64_t kKindNumber<Mark> = 17;
template <>
constexpr std::uint64_t kKindNumber<NodeSession> = 18;

// `r` is a T& or const T&; `f(name, field)` is called for each field in order.
template <class R, class F>
void Fields(R& r, F&& f) {
  using T = std::remove_const_t<R>;
  if constexpr (std::is_same_v<T, Write>) {
    f("file", r.file), f("path", r.path), f("offset", r.offset), f("length", r.length), f("before", r.before),
        f("mtime", r.mtime), f("mode", r.mode);
  } else if constexpr (std::is_same_v<T, Truncate>) {
    f("file", r.file), f("path", r.path), f("size", r.size), f("before", r.before), f("mtime", r.mtime),
        f("mode", r.mode);
  } else if constexpr (std::is_same_v<T, Allocate>) {
    f("file", r.file), f("path", r.path), f("flags", r.flags), f("offset", r.offset), f("length", r.length),
        f("before", r.before), f("mtime", r.mtime), f("mode", r.mode);
  } else if constexpr (std::is_same_v<T, Create>) {
    f("file", r.file), f("path", r.path), f("kind", r.kind), f("mode", r.mode), f("uid", r.uid),
        f("gid", r.gid), f("device", r.device), f("target", r.target), f("time", r.time);
  } else if constexpr (std::is_same_v<T, Link>) {
    f("file", r.file), f("path", r.path), f("new_path", r.new_path), f("time", r.time);
  } else if constexpr (std::is_same_v<T, Unlink> || std::is_same_v<T, Rmdir>) {
    f("file", r.file), f("path", r.path), f("time", r.time);
  } else if constexpr (std::is_same_v<T, Rename>) {
    f("file", r.file), f("path", r.path), f("new_path", r.new_path), f("mode", r.mode),
        f("replaced", r.replaced), f("time", r.time);
  } else if constexpr (std::is_same_v<T, SetAttr>) {
    f("file", r.file), f("path", r.path), f("mode", r.mode), f("uid", r.uid), f("gid", r.gid),
        f("atime", r.atime), f("mtime", r.mtime);
  } else if constexpr (std::is_same_v<T, SetXattr> || std::is_same_v<T, RemoveXattr>) {
    f("file", r.file), f("path", r.path), f("name", r.name);
  } else if constexpr (std::is_same_v<T, Promote>) {
    f("node", r.node);
  } else if constexpr (std::is_same_v<T, NodeSession>) {
    f("answered", r.answered);
  } else {
    static_assert(std::is_same_v<T, Mark>, "a kind without a list of fields");
    f("text", r.text);
  }
}

template <class R>
std::size_t FieldCount() {
  R r;
  std::size_t count = 0;
  Fields(r, [&count](const char*, auto&) { ++count; });
  return count;
}

// One overload a type of field: how it is written.
struct Put {
  Packer& out;

  void operator()(const char*, std::uint64_t value) const { out.Uint(value); }
  void operator()(const char*, std::uint32_t value) const { out.Uint(value); }
  void operator()(const char*, NodeKind value) const { out.Uint(static_cast<std::uint64_t>(value)); }
  void operator()(const char*, RenameMode value) const { out.Uint(static_cast<std::uint64_t>(value)); }
  void operator()(const char*, FileId value) const { out.Uint(value.value); }
  void operator()(const char*, Timestamp value) const { out.Int(value.nanoseconds); }
  void operator()(const char*, const std::string& value) const { out.Text(value); }
  void operator()(const char*, const NodeName& value) const { out.Text(value.value); }
  void operator()(const char*, const StorePath& value) const { out.Text(value.text()); }
  void operator()(const char*, const FileState& value) const {
    out.Array(2).Uint(value.size).Int(value.mtime.nanoseconds);
  }
  void operator()(const char*, const std::vector<AnsweredRun>& runs) const {
    out.Array(runs.size());
    for (const AnsweredRun& run : runs) {
      out.Array(4).Uint(run.number).Uint(run.count).Uint(run.sequence.value);
      Pack(out, run.group);
    }
  }
  template <class T>
  void operator()(const char* name, const std::optional<T>& value) const {
    value ? (*this)(name, *value) : static_cast<void>(out.Nil());
  }
};

// One overload a type of field: how it is read and what is refused.
struct Get {
  Unpacker& in;

  void operator()(const char* name, std::uint64_t& value) const { value = in.Uint(name); }
  void operator()(const char* name, std::uint32_t& value) const {
    value = static_cast<std::uint32_t>(in.Uint(name, UINT32_MAX));
  }
  void operator()(const char* name, NodeKind& value) const {
    const auto number = in.Uint(name);
    if (!in.failed() && (number < 1 || number > 7)) in.Fail(name, "is not a kind of node");
    value = static_cast<NodeKind>(number);
  }
  void operator()(const char* name, RenameMode& value) const {
    const auto number = in.Uint(name);
    if (number > 2) in.Fail(name, "is not a mode of renaming");
    value = static_cast<RenameMode>(number);
  }
  void operator()(const char* name, FileId& value) const { value = FileId(in.Uint(name)); }
  void operator()(const char* name, Timestamp& value) const { value = Timestamp{in.Int(name)}; }
  void operator()(const char* name, std::string& value) const { value = in.Text(name); }
  void operator()(const char* name, NodeName& value) const { value = NodeName(in.Text(name)); }
  void operator()(const char* name, StorePath& value) const {
    auto path = StorePath::Parse(AsText(in.Binary(name)));
    if (!path) return in.Fail(name, path.error().message);
    value = *std::move(path);
  }
  void operator()(const char* name, FileState& value) const {
    in.Array(name, 2);
    value.size = in.Uint("before.size");
    value.mtime = Timestamp{in.Int("before.mtime")};
  }
  void operator()(const char* name, std::vector<AnsweredRun>& runs) const {
    for (std::size_t left = in.Array(name); left > 0 && !in.failed(); --left) {
      AnsweredRun& run = runs.emplace_back();
      in.Array("answered.run", 4);
      run.number = in.Uint("answered.number");
      run.count = in.Uint("answered.count");
      run.sequence = Sequence(in.Uint("answered.sequence"));
      run.group = UnpackProgress(in, "answered.group");
    }
  }
  template <class T>
  void operator()(const char* name, std::optional<T>& value) const {
    if (in.IsNil()) return value.reset();
    (*this)(name, value.emplace());
  }
};

template <class T>
bool ReadBodyAs(std::uint64_t kind, Unpacker& in, Body& body) {
  if (kind != kKindNumber<T>) return false;
  T r;
  in.Array("body", FieldCount<T>());
  Fields(r, Get{in});
  body = std::move(r);
  return true;
}

template <class... Ts>
bool ReadBody(std::uint64_t kind, Unpacker& in, std::variant<Ts...>& body) {
  return (ReadBodyAs<Ts>(kind, in, body) || ...);
}

// Whether the runs are ascending, and none is empty or runs over.
bool AreRuns(const std::vector<AnsweredRun>& runs) {
  std::uint64_t next = 1;
  for (const AnsweredRun& run : runs) {
    if (run.number < next || run.count == 0 || run.count > UINT64_MAX - run.number ||
        run.count > UINT64_MAX - run.sequence.value)
      return false;
    next = run.number + run.count;
  }
  return true;
}

// What a well-formed record must also obey so that applying it can be trusted.
Status CheckMeaning(const Record& record) {
  const bool has_volume = !std::holds_alternative<NodeSession>(record.body);
  if (record.volume.value.empty() == has_volume)
    return Error{EINVAL, has_volume ? "field 'volume' is empty" : "field 'volume' is not empty"};
  const auto needs_node = [](const StorePath& path) -> Status {
    if (path.IsRoot())
      return Error{EINVAL, "field 'path' is the volume's root, which this kind cannot change"};
    return {};
  };
  const auto permissions_only = [](const std::optional<std::uint32_t>& mode) -> Status {
    if (mode && (*mode & ~07777U) != 0) return Error{EINVAL, "field 'mode' holds more than permission bits"};
    return {};
  };
  return std::visit(Overloaded{
                        [&](const Write& r) -> Status {
                          if (r.length == 0 || r.length > kMaxPayloadBytes)
                            return Error{EINVAL, "field 'length' is out of range"};
                          if (r.offset > INT64_MAX - r.length)
                            return Error{EINVAL, "field 'offset' is out of range"};
                          return permissions_only(r.mode);
                        },
                        [&](const Truncate& r) -> Status {
                          if (r.size > INT64_MAX) return Error{EINVAL, "field 'size' is out of range"};
                          return permissions_only(r.mode);
                        },
                        [&](const Allocate& r) -> Status {
                          if (r.length == 0 || r.length > INT64_MAX || r.offset > INT64_MAX - r.length)
                            return Error{EINVAL, "fields 'offset' and 'length' are out of range"};
                          return permissions_only(r.mode);
                        },
                        [&](const Create& r) -> Status {
                          HAWSER_TRY(needs_node(r.path));
                          const bool needs_id =
                              r.kind == NodeKind::kRegular || r.kind == NodeKind::kDirectory;
                          if (needs_id && r.file == kNoFileId)
                            return Error{EINVAL, "field 'file' does not fit the kind of node"};
                          if ((r.mode & ~07777U) != 0)
                            return Error{EINVAL, "field 'mode' holds more than permission bits"};
                          if ((r.kind == NodeKind::kSymlink) == r.target.empty())
                            return Error{EINVAL, "field 'target' does not fit the kind of node"};
                          return {};
                        },
                        [&](const Link& r) -> Status {
                          HAWSER_TRY(needs_node(r.path));
                          return needs_node(r.new_path);
                        },
                        [&](const Unlink& r) { return needs_node(r.path); },
                        [&](const Rmdir& r) { return needs_node(r.path); },
                        [&](const Rename& r) -> Status {
                          HAWSER_TRY(needs_node(r.path));
                          HAWSER_TRY(needs_node(r.new_path));
                          if (r.mode == RenameMode::kNoReplace && r.replaced)
                            return Error{EINVAL, "field 'replaced' must be nil"};
                          if (r.mode == RenameMode::kExchange && !r.replaced)
                            return Error{EINVAL, "field 'replaced' is nil"};
                          return {};
                        },
                        [&](const SetAttr& r) { return permissions_only(r.mode); },
                        [](const SetXattr& r) -> Status {
                          if (r.name.empty() || r.name.size() > 255)
                            return Error{EINVAL, "field 'name' is out of range"};
                          return {};
                        },
                        [](const RemoveXattr& r) -> Status {
                          if (r.name.empty() || r.name.size() > 255)
                            return Error{EINVAL, "field 'name' is out of range"};
                          return {};
                        },
                        [](const Promote& r) -> Status {
                          if (r.node.value.empty()) return Error{EINVAL, "field 'node' is empty"};
                          return {};
                        },
                        [&](const NodeSession& r) -> Status {
                          if (record.origin.node.value.empty() || record.origin.session == 0)
                            return Error{EINVAL, "field 'origin' names no session"};
                          if (!AreRuns(r.answered)) return Error{EINVAL, "field 'answered' is out of order"};
                          return {};
                        },
                        [](const Mark&) -> Status { return {}; },
                    },
                    record.body);
}

}  // namespace

// [version, kind, volume, generation, [node, session, number], [fields of the kind]]
Buffer EncodeRecord(const Record& record) {
  Packer out;
  std::visit(
      [&](const auto& body) {
        using T = std::decay_t<decltype(body)>;
        static_assert(kKindNumber<T> != 0, "a kind without a number");
        out.Array(6)
            .Uint(kRecordVersion)
            .Uint(kKindNumber<T>)
            .Text(record.volume.value)
            .Uint(record.generation.value);
        out.Array(3).Text(record.origin.node.value).Uint(record.origin.session).Uint(record.origin.number);
        out.Array(FieldCount<T>());
        Fields(body, Put{out});
      },
      record.body);
  return out.Finish();
}

Result<Record> DecodeRecord(Bytes header) {
  if (header.size() > kMaxRecordHeaderBytes)
    return Error{EINVAL, fmt::format("a record header of {} bytes is over the limit of {}", header.size(),
                                     kMaxRecordHeaderBytes)};
  Unpacker in(header);
  Record record;
  in.Array("record", 6);
  const auto version = in.Uint("version");
  if (!in.failed() && version != kRecordVersion)
    return Error{EINVAL, fmt::format("a record of version {}, but this program reads version {}", version,
                                     kRecordVersion)};
  const auto kind = in.Uint("kind");
  record.volume = VolumeName(in.Text("volume"));
  record.generation = Generation(in.Uint("generation"));
  in.Array("origin", 3);
  record.origin.node = NodeName(in.Text("origin.node"));
  record.origin.session = in.Uint("origin.session");
  record.origin.number = in.Uint("origin.number");
  if (!in.failed() && !ReadBody(kind, in, record.body))
    return Error{EINVAL, fmt::format("field 'kind' is {}, which this program does not know", kind)};
  if (auto read = in.Finish(); !read) return Error{EINVAL, "a record's " + read.error().message};
  if (auto meaning = CheckMeaning(record); !meaning)
    return Error{EINVAL, "a record's " + meaning.error().message};
  return record;
}

Result<Record> DecodeRecord(Bytes header, Bytes payload) {
  HAWSER_ASSIGN(Record record, DecodeRecord(header));
  if (payload.size() > kMaxPayloadBytes)
    return Error{EINVAL, fmt::format("a record's payload of {} bytes is over the limit of {}", payload.size(),
                                     kMaxPayloadBytes)};
  const auto expected = PayloadBytes(record.body);
  if (expected && *expected != payload.size())
    return Error{EINVAL, fmt::format("a {} record's payload has {} bytes where {} belong to it",
                                     KindName(record.body), payload.size(), *expected)};
  return record;
}

}  // namespace hawser
