// The paths at which a copy isn't what the journal says, because its store refused a record, and what a
// refusal means. Pure: replay (fuse_secondary/replay_state.h) and recovery (recovery.h) ask it, and the
// simulation does.
//
// A refusal that may pass (no room, no descriptors, an I/O error) is waited out. One that won't (too large
// for this filesystem, not permitted, not supported, no room although there is) is noted here, and all else
// goes on. If the primary's own store refused the record too, a remedy follows in the journal (record.h):
// then nothing has to be noted, or it is taken off again.
//
// Later records about such a path are tried, whatever is there, but for new names in a folder that is itself
// another one; what they set again, replace or remove is right again. What could be tried again as it stands
// is tried at each start. A file that a record doesn't reach by its path may be there under another name:
// unless it was never made it is named, too.
//
// An entry is changed by later records only: in a write group those of one file stand in their order, and a
// redo begins before what was noted.
//
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/record/record.h"

namespace hawser {

// As many entries are noted at most; a store that refuses more waits for somebody to look.
inline constexpr std::size_t kMostDifferences = 1000;

struct Difference {
  StorePath path;
  Sequence sequence;  // of the record that was refused, or of the first that missed what an earlier one left
  std::string why;
  Record record;  // what is still to be done of it
  Buffer payload;
  bool repeatable = false;  // it can be tried again as it stands
  bool nameless = false;    // the path is gone, but the file has other names: it is known by its id
  bool absent = false;      // its node was never made here, nor what the journal has below it
};

// A record that a store hasn't taken.
struct Refused {
  const Record& record;
  Sequence sequence;
  Bytes payload;
  Error error;
  bool has_room = false;      // asked after it was refused
  bool tried_before = false;  // it was refused once more
  bool remedied = false;      // the journal holds the end of a remedy for it
  bool redone = false;        // in a redo, before which records may have been gone on without
};

// How a record is applied: as the journal has it, unless
struct Manner {
  bool anyhow = false;   // it may be in the store in part, or says what a primary's store holds (RedoOne)
  bool differs = false;  // the store isn't what the journal says where the record goes (ApplyTo::differs)
};

enum class Consequence {
  kDiverged,  // the store was changed by somebody: nobody can go on with it
  kGoOn,      // noted, or made up for: as if it had been applied
  kTryAgain,  // at once
  kWait,
};

class Differences {
 public:
  bool empty() const { return entries_.empty(); }
  const std::vector<Difference>& entries() const { return entries_; }
  // One line a path: "'a/b': why".
  std::vector<std::string> Texts() const;

  // Whether the record is about something that is noted.
  bool Concern(const Record& record) const { return Find(record) != nullptr; }
  // The first of them; nullptr: none.
  const Difference* Find(const Record& record) const;
  // How it is to be applied. `again`: it was tried before. An error: not at all, by its path it would make a
  // name in a folder that is another one than the journal means.
  Result<Manner> MannerOf(const Record& record, bool again = false) const;

  Consequence Weigh(const Refused& refused);
  // The record is in the store. `other_names`: what it took the name of may have others.
  void Took(const Record& record, Sequence sequence, bool other_names);

  // Whether it can be tried again now: as it stands, and in the right folder.
  bool MayRepeat(const Difference& entry) const;
  // It was taken.
  void Repeated(const Difference& entry);

  // Files that have lost the names by which they were noted, and which of them there are at all.
  std::set<FileId> Nameless() const;
  void Found(const std::set<FileId>& files);

  // Whether something has changed since the last call.
  bool TakeChanged() { return std::exchange(changed_, false); }

  Buffer Encode() const;
  static Result<Differences> Decode(Bytes bytes);

 private:
  bool Note(const Refused& refused);
  bool Lack(const Refused& refused);
  static std::size_t SizeOf(const Difference& entry);
  bool Add(StorePath path, const Refused& refused, bool repeatable, bool absent);
  bool AddOnce(const StorePath& path, const Refused& refused, bool absent);
  const Difference* Covering(const StorePath& path, FileId file) const;
  bool IsAbsent(const StorePath& path, FileId file) const;
  bool InOtherFolder(const StorePath& path) const;
  bool LackName(const Refused& refused);
  bool LackChange(const Refused& refused, const StorePath& path);
  void MoveNames(const Rename& r, Sequence sequence, bool other_names);
  void DropNames(const StorePath& path, Sequence sequence);
  void DropChanges(const StorePath& path, FileId file);
  void LeaveName(const StorePath& path, Sequence sequence);
  void EmptyAgain(const StorePath& path, FileId file, Sequence sequence);
  void Touch(const Record& record, Sequence sequence);
  void GiveUp(Sequence sequence);
  void SetAgain(const StorePath& path, FileId file, Sequence sequence, const SetAttr& later);
  void FindAgain(const Record& record);
  template <class Predicate>
  void Drop(Predicate predicate);

  std::vector<Difference> entries_;
  bool changed_ = false;
};

}  // namespace hawser
