// The records: one mutation each, as it was decided (ids, final mode, owner, offset, times), so that applying
// is deterministic. DESIGN section 4.
//
// A record is this header (msgpack, see codec.h) and, apart from it, a raw payload: the data of a Write, the
// value of a SetXattr; all others have none.
//
// Body is a closed variant. Visit it with one overload a kind and no default: a kind that some part forgot
// does not compile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/record/position.h"
#include "common/record/store_path.h"

namespace hawser {

// Who sent a record, so that a resend is recognised. `number` counts a session's records 1, 2, 3, ..., over
// all of the node's volumes.
struct Origin {
  NodeName node;
  std::uint64_t session = 0;
  std::uint64_t number = 0;

  friend bool operator==(const Origin&, const Origin&) = default;
};

// What a file was before a change. A replica whose file is another has been touched.
struct FileState {
  std::uint64_t size = 0;
  Timestamp mtime;

  friend bool operator==(const FileState&, const FileState&) = default;
};

enum class NodeKind : std::uint8_t {
  kRegular = 1,
  kDirectory = 2,
  kSymlink = 3,
  kFifo = 4,
  kSocket = 5,
  kCharDevice = 6,
  kBlockDevice = 7,
};

enum class RenameMode : std::uint8_t { kReplace = 0, kNoReplace = 1, kExchange = 2 };

struct Write {
  FileId file;
  StorePath path;
  std::uint64_t offset = 0;  // bytes
  std::uint64_t length = 0;  // bytes; equals the payload's size
  FileState before;
  Timestamp mtime;
  std::optional<std::uint32_t> mode;  // set: what is left of the permission bits (setuid and setgid cleared)
  friend bool operator==(const Write&, const Write&) = default;
};

struct Truncate {
  FileId file;
  StorePath path;
  std::uint64_t size = 0;
  FileState before;
  Timestamp mtime;
  std::optional<std::uint32_t> mode;
  friend bool operator==(const Truncate&, const Truncate&) = default;
};

// fallocate(2); `flags` are its FALLOC_FL_ ones.
struct Allocate {
  FileId file;
  StorePath path;
  std::uint32_t flags = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  FileState before;
  Timestamp mtime;
  std::optional<std::uint32_t> mode;
  friend bool operator==(const Allocate&, const Allocate&) = default;
};

struct Create {
  FileId file;  // symlinks and special files may have none: kNoFileId
  StorePath path;
  NodeKind kind = NodeKind::kRegular;
  std::uint32_t mode = 0;  // permission bits with setuid, setgid and sticky, after umask; no type
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t device = 0;  // character and block devices: dev_t
  std::string target;        // symlinks
  Timestamp time;            // atime and mtime of the node, mtime of the parent
  // What it inherits, as the values of system.posix_acl_access and system.posix_acl_default.
  std::optional<std::string> access_acl;
  std::optional<std::string> default_acl;
  friend bool operator==(const Create&, const Create&) = default;
};

struct Link {
  FileId file;
  StorePath path;
  StorePath new_path;
  Timestamp time;  // mtime of the new parent
  friend bool operator==(const Link&, const Link&) = default;
};

struct Unlink {
  FileId file;
  StorePath path;
  Timestamp time;  // mtime of the parent
  friend bool operator==(const Unlink&, const Unlink&) = default;
};

struct Rmdir {
  FileId file;
  StorePath path;
  Timestamp time;  // mtime of the parent
  friend bool operator==(const Rmdir&, const Rmdir&) = default;
};

struct Rename {
  FileId file;
  StorePath path;
  StorePath new_path;
  RenameMode mode = RenameMode::kReplace;
  // What stood at new_path: nothing, or a node with this id (kNoFileId for a symlink or special file without
  // one).
  std::optional<FileId> replaced;
  Timestamp time;  // mtime of both parents
  // mtime, as it was, of what is moved and of what it is exchanged with, each if it is a directory that gets
  // another parent: XFS sets it to its own clock's.
  std::optional<Timestamp> mtime;
  std::optional<Timestamp> replaced_mtime;
  friend bool operator==(const Rename&, const Rename&) = default;
};

// Only what is set changes.
struct SetAttr {
  FileId file;
  StorePath path;
  std::optional<std::uint32_t> mode;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  std::optional<Timestamp> atime;
  std::optional<Timestamp> mtime;
  friend bool operator==(const SetAttr&, const SetAttr&) = default;
};

// The value is the payload. XATTR_CREATE and XATTR_REPLACE are decided before: the value is simply set.
struct SetXattr {
  FileId file;
  StorePath path;
  std::string name;
  friend bool operator==(const SetXattr&, const SetXattr&) = default;
};

struct RemoveXattr {
  FileId file;
  StorePath path;
  std::string name;
  friend bool operator==(const RemoveXattr&, const RemoveXattr&) = default;
};

// Control: from here on `node` is the volume's primary, in the generation of the record's envelope.
struct Promote {
  NodeName node;
  NodeName previous = {};      // the primary until then; empty: none, it is the first
  Sequence acknowledged = {};  // the newest record before: nothing that `previous` was told of comes after it
  bool planned = false;        // `previous` had stopped taking changes before
  std::uint64_t attempt = 0;   // of whom asked for it (net/messages.h: PromotionOrder); 0: nobody
  friend bool operator==(const Promote&, const Promote&) = default;
};

// Numbers of a session, one after the other, that stand one after the other in one write group.
struct AnsweredRun {
  std::uint64_t number = 0;  // the first one's
  std::uint64_t count = 0;   // at least 1
  Sequence sequence;         // the first one's
  Progress group;            // the state after their group
  friend bool operator==(const AnsweredRun&, const AnsweredRun&) = default;
};

// Control, of no volume: the origin's node is in the origin's session; nothing of an older one enters the
// journal behind this. Without runs the session begins here. The relay says it again before it lets old
// segments go, with where the newest numbers stand, so that whoever resends one of them gets the answer that
// it had.
struct NodeSession {
  std::vector<AnsweredRun> answered;  // ascending
  // Who began it (net/messages.h: Hello). 0: not known.
  std::uint64_t incarnation = 0;
  std::uint64_t start = 0;
  friend bool operator==(const NodeSession&, const NodeSession&) = default;
};

// Control: a note for people who read the journal. Changes nothing.
struct Mark {
  std::string text;
  friend bool operator==(const Mark&, const Mark&) = default;
};

using Body = std::variant<Write, Truncate, Allocate, Create, Link, Unlink, Rmdir, Rename, SetAttr, SetXattr,
                          RemoveXattr, Promote, NodeSession, Mark>;

// A primary's store has refused a record that was journaled already, and this record, with those like it,
// says what is really there. Whoever applies it brings what it touches to that state, whatever it was before:
// a replica may hold all, some or nothing of the refused record.
struct RemedyOf {
  Sequence refused;
  bool last = false;  // what was refused is made up for with this record

  friend bool operator==(const RemedyOf&, const RemedyOf&) = default;
};

struct Record {
  VolumeName volume;  // empty in a NodeSession, and in no other
  Generation generation;
  Origin origin;
  Body body;
  std::optional<RemedyOf> remedy = {};  // of ordinary records only

  friend bool operator==(const Record&, const Record&) = default;
};

// "write", "rename", ...
std::string_view KindName(const Body& body);

// Bytes that the record's payload must have; nullopt: any number.
std::optional<std::uint64_t> PayloadBytes(const Body& body);

// One line for a person: "write docs 'a/b' id 1000003 at 4096 +512".
std::string Describe(const Record& record);

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace hawser
