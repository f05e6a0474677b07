#include "volume/recovery/differences.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "common/record/codec.h"
#include "common/record/kinds.h"
#include "common/record/pack.h"
#include "volume/store/acl_names.h"
#include "volume/store/store.h"

namespace hawser {

namespace {

// Of all that is kept, so that it can be written beside each checkpoint.
constexpr std::size_t kMostBytes = 512 * kKiB;

bool ChangesNames(const Body& body) {
  const TreeEffect effect = EffectOf(body);
  return effect == TreeEffect::kMakesName || TakesNames(body);
}

// The paths that a record is about.
std::vector<StorePath> PathsOf(const Body& body) {
  std::vector<StorePath> paths;
  ForEachPath(body, [&paths](const StorePath& path) { paths.push_back(path); });
  return paths;
}

// The paths that aren't right without the record.
std::vector<StorePath> PathsLeftBy(const Body& body) {
  if (const auto* link = std::get_if<Link>(&body)) return {link->new_path};
  return PathsOf(body);
}

// The node of a record that changes no names is now called so.
void CallIt(Body& body, const StorePath& path) {
  std::visit(Overloaded{
                 [&](OneOf<Write, Truncate, Allocate> auto& r) { r.path = path; },
                 [&](OneOf<SetAttr, SetXattr, RemoveXattr> auto& r) { r.path = path; },
                 [](OneOf<Create, Link, Unlink, Rmdir, Rename> auto&) {},
                 [](ControlKind auto&) {},
             },
             body);
}

StorePath Moved(const StorePath& path, const StorePath& from, const StorePath& to) {
  if (path == from) return to;
  const std::string rest = path.text().substr(from.IsRoot() ? 0 : from.text().size() + 1);
  return *StorePath::Parse(to.text() + "/" + rest);
}

// What of `old` a later change of the same node doesn't set again. false: nothing.
bool LeaveOut(SetAttr& old, const SetAttr& later) {
  if (later.mode) old.mode.reset();
  if (later.uid) old.uid.reset();
  if (later.gid) old.gid.reset();
  if (later.atime) old.atime.reset();
  if (later.mtime) old.mtime.reset();
  return old.mode || old.uid || old.gid || old.atime || old.mtime;
}

bool IsAbout(const Difference& entry, const StorePath& path, FileId file, Sequence later) {
  if (entry.sequence > later) return false;
  if (file != kNoFileId && FileOf(entry.record.body) == file) return true;
  return !entry.nameless && entry.path == path;
}

// What a change of data sets besides.
template <class R>
SetAttr TimesOf(const R& r) {
  return {r.file, r.path, r.mode, {}, {}, {}, r.mtime};
}

const std::string* XattrOf(const Body& body) {
  if (const auto* set = std::get_if<SetXattr>(&body)) return &set->name;
  if (const auto* removed = std::get_if<RemoveXattr>(&body)) return &removed->name;
  return nullptr;
}

}  // namespace

// What a disk or a process that is in trouble gives. Whatever else a store says, it will say again.
bool MayPass(int code, bool has_room) {
  switch (code) {
    case ENOSPC:
      return !has_room;
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EIO:
    case EINTR:
    case EAGAIN:
    case EBUSY:
    case ETXTBSY:
    case EROFS:
    case ENODEV:
    case ENXIO:
    case ESTALE:
    case ETIMEDOUT:
    case ECANCELED:
    case ENOTCONN:
    case EHOSTDOWN:
    case EHOSTUNREACH:
      return true;
    default:
      return false;
  }
}

const StorePath* NameTakenBy(const Body& body) {
  if (const auto* unlink = std::get_if<Unlink>(&body)) return &unlink->path;
  const auto* rename = std::get_if<Rename>(&body);
  return rename != nullptr && rename->replaced ? &rename->new_path : nullptr;
}

std::vector<std::string> Differences::Texts() const {
  std::vector<std::string> texts;
  std::set<StorePath> paths;
  for (const Difference& entry : entries_) {
    if (paths.insert(entry.path).second)
      texts.push_back(fmt::format("'{}': {}", entry.path.Printable(), entry.why));
  }
  return texts;
}

const Difference* Differences::Find(const Record& record) const {
  if (entries_.empty()) return nullptr;
  const FileId file = FileOf(record.body);
  const std::vector<StorePath> paths = PathsOf(record.body);
  const bool takes = TakesNames(record.body);
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Difference& entry) {
    if (file != kNoFileId && FileOf(entry.record.body) == file) return true;
    if (entry.nameless) return false;
    const bool names = ChangesNames(entry.record.body);
    return std::any_of(paths.begin(), paths.end(), [&](const StorePath& path) {
      if (names ? path.IsAtOrBelow(entry.path) : path == entry.path) return true;
      return takes && entry.path.IsAtOrBelow(path);
    });
  });
  return found == entries_.end() ? nullptr : &*found;
}

Consequence Differences::Weigh(const Refused& refused) {
  const bool is_other = refused.error.code == kStoreDiverged || refused.error.code == ENOENT;
  if (is_other && !Concern(refused.record)) return Consequence::kDiverged;
  if (is_other) return Lack(refused) ? Consequence::kGoOn : Consequence::kWait;
  if (refused.remedied) return Consequence::kGoOn;
  if (MayPass(refused.error.code, refused.has_room)) return Consequence::kWait;
  // Room may have been made just then.
  if (refused.error.code == ENOSPC && !refused.tried_before) return Consequence::kTryAgain;
  return Note(refused) ? Consequence::kGoOn : Consequence::kWait;
}

// ---- what is noted

template <class Predicate>
void Differences::Drop(Predicate predicate) {
  if (std::erase_if(entries_, predicate) > 0) changed_ = true;
}

std::size_t Differences::SizeOf(const Difference& entry) {
  return entry.path.text().size() + entry.why.size() + entry.payload.size() +
         EncodeRecord(entry.record).size();
}

// false: there is no place for more.
bool Differences::Add(StorePath path, const Refused& refused, bool repeatable) {
  const bool is_content = EffectOf(refused.record.body) == TreeEffect::kContent;
  Difference entry{std::move(path),
                   refused.sequence,
                   refused.error.Text(),
                   refused.record,
                   {},
                   repeatable && !is_content,
                   false};
  if (entry.repeatable) entry.payload.assign(refused.payload.begin(), refused.payload.end());
  std::size_t size = SizeOf(entry);
  for (const Difference& other : entries_) size += SizeOf(other);
  if (entries_.size() >= kMostDifferences || size > kMostBytes) return false;
  entries_.push_back(std::move(entry));
  changed_ = true;
  return true;
}

bool Differences::Note(const Refused& refused) {
  // Once more, in redo.
  Drop([&](const Difference& entry) { return entry.sequence == refused.sequence; });
  if (const auto* rename = std::get_if<Rename>(&refused.record.body))
    MoveNames(*rename, refused.sequence, false);
  bool noted = true;
  for (StorePath& path : PathsLeftBy(refused.record.body))
    noted = noted && Add(std::move(path), refused, true);
  return noted;
}

// A name that was refused can't be tried again as it stands once a later record was about it: that has been
// gone on without, or has found another thing there.
void Differences::Touch(const Record& record, Sequence sequence) {
  const std::vector<StorePath> paths = PathsOf(record.body);
  const FileId file = FileOf(record.body);
  const bool takes = TakesNames(record.body);
  for (Difference& entry : entries_) {
    if (entry.sequence >= sequence || !ChangesNames(entry.record.body)) continue;
    const bool touched = (file != kNoFileId && FileOf(entry.record.body) == file) ||
                         std::any_of(paths.begin(), paths.end(), [&](const StorePath& path) {
                           return path.IsAtOrBelow(entry.path) || (takes && entry.path.IsAtOrBelow(path));
                         });
    if (touched && std::exchange(entry.repeatable, false)) changed_ = true;
  }
}

bool Differences::Covers(const StorePath& path) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Difference& entry) {
    return !entry.nameless && path.IsAtOrBelow(entry.path) &&
           (path == entry.path || ChangesNames(entry.record.body));
  });
}

// It couldn't take place where something is missing, or is another thing.
bool Differences::Lack(const Refused& refused) {
  const Body& body = refused.record.body;
  const bool is_missing = refused.error.code == ENOENT;
  Touch(refused.record, refused.sequence);
  // That it isn't there is right.
  if (is_missing && EffectOf(body) == TreeEffect::kTakesName) {
    DropNames(PathsOf(body).front(), refused.sequence, false);
    return true;
  }
  bool noted = true;
  const auto note = [&](const StorePath& path) {
    if (!Covers(path)) noted = noted && Add(path, refused, false);
  };
  if (const auto* rename = std::get_if<Rename>(&body)) {
    MoveNames(*rename, refused.sequence, false);
    if (is_missing && rename->mode != RenameMode::kExchange) DropNames(rename->path, refused.sequence, false);
    note(rename->new_path);
    if (!is_missing || rename->mode == RenameMode::kExchange) note(rename->path);
    return noted;
  }
  for (const StorePath& path : PathsLeftBy(body)) note(path);
  return noted;
}

// ---- what is right again

void Differences::Took(const Record& record, Sequence sequence, bool other_names) {
  if (entries_.empty()) return;
  Drop([&](const Difference& entry) { return entry.sequence == sequence; });
  if (record.remedy && record.remedy->last)
    Drop([&](const Difference& entry) { return entry.sequence == record.remedy->refused; });
  FindAgain(record);
  Touch(record, sequence);
  const Body& body = record.body;
  const FileId file = FileOf(body);
  std::visit(Overloaded{
                 [&](const OneOf<Write, Allocate> auto& r) { SetAgain(r.path, file, sequence, TimesOf(r)); },
                 [&](const Truncate& r) {
                   SetAgain(r.path, file, sequence, TimesOf(r));
                   if (r.size != 0) return;
                   Drop([&](const Difference& entry) {
                     return EffectOf(entry.record.body) == TreeEffect::kContent &&
                            IsAbout(entry, r.path, file, sequence);
                   });
                 },
                 [&](const SetAttr& r) { SetAgain(r.path, file, sequence, r); },
                 [&](const OneOf<SetXattr, RemoveXattr> auto& r) {
                   if (r.name == kAccessAcl)
                     SetAgain(r.path, file, sequence, {file, r.path, 0, {}, {}, {}, {}});
                   Drop([&](const Difference& entry) {
                     const std::string* name = XattrOf(entry.record.body);
                     return name != nullptr && *name == r.name && IsAbout(entry, r.path, file, sequence);
                   });
                 },
                 [&](const OneOf<Unlink, Rmdir> auto& r) {
                   // Redo removes a node by its id: what should have gone from that name may be there still.
                   const auto stays = [&](const Difference& entry) {
                     return TakesNames(entry.record.body) && entry.path == r.path;
                   };
                   if (std::none_of(entries_.begin(), entries_.end(), stays))
                     DropNames(r.path, sequence, other_names);
                 },
                 [&](const Rename& r) { MoveNames(r, sequence, other_names); },
                 [](const OneOf<Create, Link> auto&) {},
                 [](const ControlKind auto&) {},
             },
             body);
}

// Attributes of a node are set by a later record. A mode and an access ACL are one thing.
void Differences::SetAgain(const StorePath& path, FileId file, Sequence sequence, const SetAttr& later) {
  Drop([&](Difference& entry) {
    if (!IsAbout(entry, path, file, sequence)) return false;
    const std::string* xattr = XattrOf(entry.record.body);
    if (xattr != nullptr && *xattr == kAccessAcl && later.mode) entry.repeatable = false;
    auto* old = std::get_if<SetAttr>(&entry.record.body);
    if (old == nullptr) return false;
    changed_ = true;
    return !LeaveOut(*old, later);
  });
}

void Differences::Repeated(Sequence sequence) {
  Drop([&](const Difference& entry) { return entry.sequence == sequence; });
}

// A file that has lost the name under which it was noted is met by another one.
void Differences::FindAgain(const Record& record) {
  const std::vector<StorePath> paths = PathsOf(record.body);
  const FileId file = FileOf(record.body);
  for (Difference& entry : entries_) {
    if (!entry.nameless || file == kNoFileId || FileOf(entry.record.body) != file) continue;
    entry.nameless = false;
    entry.path = paths.front();
    CallIt(entry.record.body, entry.path);
    changed_ = true;
  }
}

void Differences::DropNames(const StorePath& path, Sequence sequence, bool other_names) {
  Drop([&](Difference& entry) {
    if (entry.sequence > sequence || entry.nameless || !entry.path.IsAtOrBelow(path)) return false;
    if (!other_names || ChangesNames(entry.record.body)) return true;
    entry.nameless = true;
    changed_ = true;
    return false;
  });
}

void Differences::MoveNames(const Rename& r, Sequence sequence, bool other_names) {
  const bool exchanges = r.mode == RenameMode::kExchange;
  if (!exchanges) DropNames(r.new_path, sequence, other_names);
  std::vector<Difference> left;
  for (Difference& entry : entries_) {
    if (entry.sequence > sequence || entry.nameless) continue;
    const bool there = entry.path.IsAtOrBelow(r.path);
    if (!there && !(exchanges && entry.path.IsAtOrBelow(r.new_path))) continue;
    // What should have gone from that name may be there still.
    const bool may_stay = TakesNames(entry.record.body) && entry.path == r.path;
    if (may_stay) left.push_back(entry);
    entry.path = there ? Moved(entry.path, r.path, r.new_path) : Moved(entry.path, r.new_path, r.path);
    CallIt(entry.record.body, entry.path);
    if (ChangesNames(entry.record.body)) entry.repeatable = false;
    changed_ = true;
  }
  for (Difference& entry : left) {
    entry.repeatable = false;
    entries_.push_back(std::move(entry));
  }
}

// ---- on disk: [version, [path, sequence, why, record, payload, repeatable, nameless], ...]

Buffer Differences::Encode() const {
  Packer out;
  out.Array(1 + entries_.size()).Uint(1);
  for (const Difference& entry : entries_) {
    out.Array(7).Text(entry.path.text()).Uint(entry.sequence.value).Text(entry.why);
    out.Binary(EncodeRecord(entry.record)).Binary(entry.payload);
    out.Bool(entry.repeatable).Bool(entry.nameless);
  }
  return out.Finish();
}

Result<Differences> Differences::Decode(Bytes bytes) {
  Unpacker in(bytes);
  Differences differences;
  std::size_t left = in.Array("differences");
  if (in.Uint("version") != 1) in.Fail("version", "is unknown");
  for (; left > 1 && !in.failed(); --left) {
    in.Array("difference", 7);
    Difference& entry = differences.entries_.emplace_back();
    auto path = StorePath::Parse(in.Text("path"));
    entry.sequence = Sequence(in.Uint("sequence"));
    entry.why = in.Text("why");
    auto record = DecodeRecord(in.Binary("record"));
    const Bytes payload = in.Binary("payload");
    entry.payload.assign(payload.begin(), payload.end());
    entry.repeatable = in.Bool("repeatable");
    entry.nameless = in.Bool("nameless");
    if (in.failed()) break;
    if (!path || !record) return Error{EBADMSG, "the list of what differs can't be understood"};
    entry.path = *std::move(path);
    entry.record = *std::move(record);
  }
  if (const Status read = in.Finish(); !read)
    return Error{EBADMSG, "the list of what differs can't be understood: " + read.error().message};
  return differences;
}

}  // namespace hawser
