#include "volume/recovery/differences.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/record/codec.h"
#include "common/record/kinds.h"
#include "volume/recovery/may_pass.h"
#include "volume/recovery/record_paths.h"
#include "volume/store/acl_names.h"
#include "volume/store/redo.h"
#include "volume/store/store.h"

namespace hawser {

namespace {

// Of all that is kept, so that it can be written beside each checkpoint.
constexpr std::size_t kMostBytes = 512 * kKiB;

bool IsAbout(const Difference& entry, const StorePath& path, FileId file, Sequence later) {
  if (entry.sequence > later) return false;
  if (file != kNoFileId && FileOf(entry.record.body) == file) return true;
  return !entry.nameless && entry.path == path;
}

}  // namespace

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
  const FileId replaced = ReplacedBy(record.body);
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Difference& entry) {
    const FileId noted = FileOf(entry.record.body);
    if (noted != kNoFileId && (noted == file || noted == replaced)) return true;
    if (entry.nameless) return false;
    const bool names = ChangesNames(entry.record.body);
    return std::any_of(paths.begin(), paths.end(), [&](const StorePath& path) {
      if (names ? path.IsAtOrBelow(entry.path) : path == entry.path) return true;
      return takes && entry.path.IsAtOrBelow(path);
    });
  });
  return found == entries_.end() ? nullptr : &*found;
}

Result<Manner> Differences::MannerOf(const Record& record, bool again) const {
  if (record.remedy) return Manner{true, Concern(record)};
  if (entries_.empty()) return Manner{again, false};
  for (const StorePath& path : NewNamesOf(record.body)) {
    if (!InOtherFolder(path)) continue;
    return Error{kStoreDiverged,
                 fmt::format("'{}' isn't the folder that it should be", path.Parent().Printable())};
  }
  return Manner{again, Concern(record)};
}

bool Differences::InOtherFolder(const StorePath& path) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Difference& entry) {
    return !entry.nameless && !entry.absent && ChangesNames(entry.record.body) && !path.IsRoot() &&
           path.Parent().IsAtOrBelow(entry.path);
  });
}

Consequence Differences::Weigh(const Refused& refused) {
  const int code = refused.error.code;
  const bool is_other = code == kStoreDiverged || code == ENOENT;
  const bool concerns = Concern(refused.record);
  const bool may_lack = concerns || (refused.redone && code == ENOENT);
  if (is_other && !may_lack) return Consequence::kDiverged;
  if (is_other || (code == kNameStays && concerns))
    return Lack(refused) ? Consequence::kGoOn : Consequence::kWait;
  if (refused.remedied) return Consequence::kGoOn;
  if (MayPass(code, refused.has_room)) return Consequence::kWait;
  // Room may have been made just then.
  if (code == ENOSPC && !refused.tried_before) return Consequence::kTryAgain;
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
bool Differences::Add(StorePath path, const Refused& refused, bool repeatable, bool absent) {
  const bool is_content = EffectOf(refused.record.body) == TreeEffect::kContent;
  Difference entry{std::move(path),
                   refused.sequence,
                   refused.error.Text(),
                   refused.record,
                   {},
                   repeatable && !is_content,
                   false,
                   absent};
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
    MoveNames(*rename, refused.sequence, true);
  const bool absent = std::holds_alternative<Create>(refused.record.body);
  bool noted = true;
  for (StorePath& path : PathsLeftBy(refused.record.body))
    noted = noted && Add(std::move(path), refused, true, absent);
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
    if (touched && entry.repeatable) GiveUp(entry.sequence);
  }
}

void Differences::GiveUp(Sequence sequence) {
  for (Difference& entry : entries_) {
    if (entry.sequence == sequence && std::exchange(entry.repeatable, false)) changed_ = true;
  }
}

// The entry that says what became of the path: of the file itself, else the one that lies nearest above.
const Difference* Differences::Covering(const StorePath& path, FileId file) const {
  const Difference* nearest = nullptr;
  for (const Difference& entry : entries_) {
    if (entry.nameless || !ChangesNames(entry.record.body) || !path.IsAtOrBelow(entry.path)) continue;
    if (nearest != nullptr && entry.path != nearest->path && nearest->path.IsAtOrBelow(entry.path)) continue;
    const bool is_others = file != kNoFileId && entry.path == path && FileOf(entry.record.body) != file;
    if (nearest == nullptr || nearest->path != entry.path || !is_others) nearest = &entry;
  }
  return nearest;
}

bool Differences::IsAbsent(const StorePath& path, FileId file) const {
  const Difference* covering = Covering(path, file);
  return covering != nullptr && covering->absent;
}

// A node that is there is known by its id as well: it may have other names.
bool Differences::AddOnce(const StorePath& path, const Refused& refused, bool absent) {
  const FileId file = FileOf(refused.record.body);
  const Difference* covering = Covering(path, file);
  const bool is_its = covering != nullptr && (absent || FileOf(covering->record.body) == file);
  if (is_its && covering->absent == absent) return true;
  return Add(path, refused, false, absent);
}

// It couldn't take place where something is missing, or is another thing.
bool Differences::Lack(const Refused& refused) {
  Touch(refused.record, refused.sequence);
  if (ChangesNames(refused.record.body)) return LackName(refused);
  bool noted = true;
  for (const StorePath& path : PathsOf(refused.record.body)) noted = noted && LackChange(refused, path);
  return noted;
}

bool Differences::LackName(const Refused& refused) {
  const Body& body = refused.record.body;
  const bool is_missing = refused.error.code == ENOENT;
  const StorePath path = PathsOf(body).front();
  if (EffectOf(body) == TreeEffect::kTakesName) {
    LeaveName(path, refused.sequence);
    if (is_missing) {  // that is right
      DropNames(path, refused.sequence);
      return true;
    }
    Drop([&](const Difference& entry) {
      return ChangesNames(entry.record.body) && entry.path == path &&
             FileOf(entry.record.body) == FileOf(body);
    });
    const Difference* covering = Covering(path, kNoFileId);
    return (covering != nullptr && !covering->absent) || Add(path, refused, false, false);
  }
  if (std::holds_alternative<Create>(body)) return AddOnce(path, refused, true);
  const bool absent = is_missing && IsAbsent(path, FileOf(body));
  if (const auto* link = std::get_if<Link>(&body)) return AddOnce(link->new_path, refused, absent);
  const auto& rename = std::get<Rename>(body);
  if (refused.error.code == kNameStays) {
    MoveNames(rename, refused.sequence, true);
    return AddOnce(path, refused, false);
  }
  const bool leaves = is_missing && rename.mode != RenameMode::kExchange;
  MoveNames(rename, refused.sequence, true);
  if (leaves) DropNames(path, refused.sequence);
  if (!AddOnce(rename.new_path, refused, absent)) return false;
  return leaves || AddOnce(path, refused, false);
}

// Once a file and thing that is changed.
bool Differences::LackChange(const Refused& refused, const StorePath& path) {
  const Body& body = refused.record.body;
  const FileId file = FileOf(body);
  if (IsAbsent(path, file)) return true;
  for (Difference& entry : entries_) {
    if (file == kNoFileId || FileOf(entry.record.body) != file || entry.repeatable) continue;
    if (!Includes(entry.record.body, body)) continue;
    changed_ = true;
    return true;
  }
  return Add(path, refused, false, false);
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
                   if (r.size == 0) EmptyAgain(r.path, file, sequence);
                   SetAgain(r.path, file, sequence, TimesOf(r));
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
                   if (!other_names) DropChanges(r.path, file);
                   LeaveName(r.path, sequence);
                   DropNames(r.path, sequence);
                 },
                 [&](const Rename& r) { MoveNames(r, sequence, other_names); },
                 [&](const Create& r) { DropNames(r.path, sequence); },
                 [&](const Link& r) { DropNames(r.new_path, sequence); },
                 [](const ControlKind auto&) {},
             },
             body);
}

// All that was in it is gone, but not the mode that was set with it.
void Differences::EmptyAgain(const StorePath& path, FileId file, Sequence sequence) {
  Drop([&](Difference& entry) {
    Body& body = entry.record.body;
    if (EffectOf(body) != TreeEffect::kContent || !IsAbout(entry, path, file, sequence)) return false;
    if (!ModeOf(body)) return true;
    body = SetAttr{file, entry.path, ModeOf(body), {}, {}, {}, {}};
    changed_ = true;
    return false;
  });
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

bool Differences::MayRepeat(const Difference& entry) const {
  const std::vector<StorePath> paths = PathsOf(entry.record.body);
  const auto is_elsewhere = [this](const StorePath& path) {
    return !path.IsRoot() && Covering(path.Parent(), kNoFileId) != nullptr;
  };
  return entry.repeatable && std::none_of(paths.begin(), paths.end(), is_elsewhere);
}

void Differences::Repeated(const Difference& entry) {
  const Sequence sequence = entry.sequence;
  const Body body = entry.record.body;
  if (EffectOf(body) == TreeEffect::kTakesName) LeaveName(entry.path, sequence);
  Drop([&](const Difference& other) { return other.sequence == sequence; });
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

// The path holds what it should.
void Differences::DropNames(const StorePath& path, Sequence sequence) {
  Drop([&](const Difference& entry) {
    return ChangesNames(entry.record.body) && entry.sequence <= sequence && entry.path.IsAtOrBelow(path);
  });
}

// The file is gone.
void Differences::DropChanges(const StorePath& path, FileId file) {
  Drop([&](const Difference& entry) {
    const Body& body = entry.record.body;
    if (ChangesNames(body) || FileOf(body) != file) return false;
    return file != kNoFileId || entry.path == path;
  });
}

// The journal takes a name away: what was known by it is known by its id only, if it has one.
void Differences::LeaveName(const StorePath& path, Sequence sequence) {
  Drop([&](Difference& entry) {
    const Body& body = entry.record.body;
    if (ChangesNames(body) || entry.nameless || entry.sequence > sequence) return false;
    if (!entry.path.IsAtOrBelow(path)) return false;
    entry.nameless = changed_ = true;
    return FileOf(body) == kNoFileId;
  });
}

void Differences::MoveNames(const Rename& r, Sequence sequence, bool other_names) {
  const bool exchanges = r.mode == RenameMode::kExchange;
  if (!exchanges) {
    if (r.replaced && !other_names) DropChanges(r.new_path, *r.replaced);
    LeaveName(r.new_path, sequence);
    DropNames(r.new_path, sequence);
  }
  for (Difference& entry : entries_) {
    if (entry.sequence > sequence || entry.nameless) continue;
    const bool there = entry.path.IsAtOrBelow(r.path);
    if (!there && !(exchanges && entry.path.IsAtOrBelow(r.new_path))) continue;
    entry.path = there ? Moved(entry.path, r.path, r.new_path) : Moved(entry.path, r.new_path, r.path);
    CallIt(entry.record.body, entry.path);
    if (ChangesNames(entry.record.body)) GiveUp(entry.sequence);
    changed_ = true;
  }
}

std::set<FileId> Differences::Nameless() const {
  std::set<FileId> files;
  for (const Difference& entry : entries_)
    if (entry.nameless) files.insert(FileOf(entry.record.body));
  return files;
}

void Differences::Found(const std::set<FileId>& files) {
  Drop([&](const Difference& entry) { return entry.nameless && !files.contains(FileOf(entry.record.body)); });
}

}  // namespace hawser
