#include "common/record/codec.h"

#include <fmt/format.h>

#include "common/record/kinds.h"
#include "common/record/pack.h"
#include "common/record/pack_position.h"

// Encoding and decoding walk the same list of a kind's fields (kinds.h), so they cannot drift apart.

namespace hawser {

namespace {

// One overload a type of field: how it is written.
struct Put {
  Packer& out;

  void operator()(const char*, std::uint64_t value) const { out.Uint(value); }
  void operator()(const char*, std::uint32_t value) const { out.Uint(value); }
  void operator()(const char*, bool value) const { out.Bool(value); }
  void operator()(const char*, Sequence value) const { out.Uint(value.value); }
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
  void operator()(const char* name, bool& value) const { value = in.Bool(name); }
  void operator()(const char* name, Sequence& value) const { value = Sequence(in.Uint(name)); }
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
  if (kind != Kind<T>::kNumber) return false;
  T r;
  in.Array("body", kFieldCount<T>);
  ForEachField(r, Get{in});
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
struct MeaningCheck {
  const Record& record;

  Status operator()(const Write& r) const {
    if (r.length == 0 || r.length > kMaxPayloadBytes) return Error{EINVAL, "field 'length' is out of range"};
    if (r.offset > INT64_MAX - r.length) return Error{EINVAL, "field 'offset' is out of range"};
    return PermissionsOnly(r.mode);
  }
  Status operator()(const Truncate& r) const {
    if (r.size > INT64_MAX) return Error{EINVAL, "field 'size' is out of range"};
    return PermissionsOnly(r.mode);
  }
  Status operator()(const Allocate& r) const {
    if (r.length == 0 || r.length > INT64_MAX || r.offset > INT64_MAX - r.length)
      return Error{EINVAL, "fields 'offset' and 'length' are out of range"};
    return PermissionsOnly(r.mode);
  }
  Status operator()(const Create& r) const {
    HAWSER_TRY(NotTheRoot(r.path));
    const bool needs_id = r.kind == NodeKind::kRegular || r.kind == NodeKind::kDirectory;
    if (needs_id && r.file == kNoFileId) return Error{EINVAL, "field 'file' does not fit the kind of node"};
    HAWSER_TRY(PermissionsOnly(r.mode));
    if ((r.kind == NodeKind::kSymlink) == r.target.empty())
      return Error{EINVAL, "field 'target' does not fit the kind of node"};
    return {};
  }
  Status operator()(const Link& r) const {
    HAWSER_TRY(NotTheRoot(r.path));
    return NotTheRoot(r.new_path);
  }
  Status operator()(const OneOf<Unlink, Rmdir> auto& r) const { return NotTheRoot(r.path); }
  Status operator()(const Rename& r) const {
    HAWSER_TRY(NotTheRoot(r.path));
    HAWSER_TRY(NotTheRoot(r.new_path));
    if (r.mode == RenameMode::kNoReplace && r.replaced) return Error{EINVAL, "field 'replaced' must be nil"};
    if (r.mode == RenameMode::kExchange && !r.replaced) return Error{EINVAL, "field 'replaced' is nil"};
    return {};
  }
  Status operator()(const SetAttr& r) const { return PermissionsOnly(r.mode); }
  Status operator()(const OneOf<SetXattr, RemoveXattr> auto& r) const {
    if (r.name.empty() || r.name.size() > 255) return Error{EINVAL, "field 'name' is out of range"};
    return {};
  }
  Status operator()(const Promote& r) const {
    if (r.node.value.empty()) return Error{EINVAL, "field 'node' is empty"};
    return {};
  }
  Status operator()(const NodeSession& r) const {
    if (record.origin.node.value.empty() || record.origin.session == 0)
      return Error{EINVAL, "field 'origin' names no session"};
    if (!AreRuns(r.answered)) return Error{EINVAL, "field 'answered' is out of order"};
    return {};
  }
  Status operator()(const Mark&) const { return {}; }

 private:
  static Status NotTheRoot(const StorePath& path) {
    if (path.IsRoot())
      return Error{EINVAL, "field 'path' is the volume's root, which this kind cannot change"};
    return {};
  }
  static Status PermissionsOnly(const std::optional<std::uint32_t>& mode) {
    if (mode && (*mode & ~07777U) != 0) return Error{EINVAL, "field 'mode' holds more than permission bits"};
    return {};
  }
};

Status CheckMeaning(const Record& record) {
  const bool has_volume = HasVolume(record.body);
  if (record.volume.value.empty() == has_volume)
    return Error{EINVAL, has_volume ? "field 'volume' is empty" : "field 'volume' is not empty"};
  if (record.remedy && (IsControl(record.body) || record.remedy->refused == Sequence{}))
    return Error{EINVAL, "field 'remedy' does not fit the record"};
  return std::visit(MeaningCheck{record}, record.body);
}

}  // namespace

// [version, kind, volume, generation, [node, session, number], [fields of the kind]], and of a remedy also
// [refused, last]
Buffer EncodeRecord(const Record& record) {
  Packer out;
  std::visit(
      [&](const auto& body) {
        using T = std::decay_t<decltype(body)>;
        out.Array(record.remedy ? 7 : 6)
            .Uint(kRecordVersion)
            .Uint(Kind<T>::kNumber)
            .Text(record.volume.value)
            .Uint(record.generation.value);
        out.Array(3).Text(record.origin.node.value).Uint(record.origin.session).Uint(record.origin.number);
        out.Array(kFieldCount<T>);
        ForEachField(body, Put{out});
      },
      record.body);
  if (record.remedy) out.Array(2).Uint(record.remedy->refused.value).Uint(record.remedy->last ? 1 : 0);
  return out.Finish();
}

Result<Record> DecodeRecord(Bytes header) {
  if (header.size() > kMaxRecordHeaderBytes)
    return Error{EINVAL, fmt::format("a record header of {} bytes is over the limit of {}", header.size(),
                                     kMaxRecordHeaderBytes)};
  Unpacker in(header);
  Record record;
  const std::size_t parts = in.Array("record");
  if (!in.failed() && parts != 6 && parts != 7) in.Fail("record", "has the wrong number of fields");
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
  if (!in.failed() && parts == 7) {
    in.Array("remedy", 2);
    RemedyOf& remedy = record.remedy.emplace();
    remedy.refused = Sequence(in.Uint("remedy.refused"));
    remedy.last = in.Uint("remedy.last", 1) == 1;
  }
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
