// What a person can ask of a journal's files with nothing running: `hawser journal list|show|check`. Nothing
// here changes a file. Beside a running journal the newest groups may be seen half written: a torn tail, not
// damage.
//
// Errors: ENOENT if the folder holds no journal, EBADMSG naming segment and offset of damage, else of the
// system.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/journal/fault.h"
#include "common/record/position.h"
#include "common/record/record.h"

namespace hawser {

// One segment file. `before` and `end` are the states before its first and after its last whole group; they
// are equal if it holds none yet.
struct SegmentInfo {
  std::string name;  // in the folder
  JournalId journal;
  Progress before;
  Progress end;
  std::uint64_t groups = 0;
  std::uint64_t records = 0;
  std::uint64_t file_bytes = 0;  // on disk, with what is preallocated
  std::uint64_t used_bytes = 0;  // header and frames
  Timestamp created;
  std::optional<Timestamp> first_time;  // when the first group was cut; none if there is no group
  // What is wrong with it, as a sentence; empty if nothing is. Only frame headers are looked at: see
  // CheckJournal.
  std::string problem;

  Sequence first_sequence() const { return Next(before.position.sequence); }
  Group first_group() const { return Next(before.position.group); }
};

// All segments in order. A damaged segment is listed with its problem; the figures end where the damage
// begins.
Result<std::vector<SegmentInfo>> ListJournal(const std::string& folder);

// What to show; everything that is not set matches.
struct RecordFilter {
  std::optional<Sequence> from;      // inclusive
  std::optional<Sequence> to;        // inclusive
  std::optional<VolumeName> volume;  // of this volume
  std::optional<StorePath> below;    // a path of the record is this or below it
};

// A record and where it stands. Valid during the call only.
struct ShownRecord {
  Sequence sequence;
  Group group;
  Timestamp time;  // when its group was cut
  const Record& record;
  Bytes payload;
};

// Calls `show` for each record that matches, in order, until it returns false or the journal's last whole
// group is done. Digests and chain are checked on the way. ENODATA if `from` is older than the oldest
// segment.
Status ShowJournal(const std::string& folder, const RecordFilter& filter,
                   const std::function<bool(const ShownRecord&)>& show);

struct CheckReport {
  JournalId journal;
  std::uint64_t segments = 0;  // looked at, up to the damage
  std::uint64_t groups = 0;
  std::uint64_t records = 0;
  std::uint64_t file_bytes = 0;
  Progress oldest;  // before the first group that is there
  Progress end;     // after the last whole group (before the damage)

  std::optional<JournalFault> missing_beginning;  // segments that were never dropped; the check goes on
  std::optional<JournalFault> damage;             // the first; the journal cannot be used beyond it
  std::optional<JournalFault> torn_tail;  // a warning: a crash's remains, cut when the journal is next opened
  std::uint64_t torn_bytes = 0;
  // A segment whose creation was interrupted by a crash: a warning too, removed when the journal is next
  // opened.
  std::string unfinished_segment;
};

// Verifies all of it: that nothing is missing where the journal begins (begin.h), segment headers, every
// digest, every link of the chain within and between segments, and that every record can be decoded.
// `progress`, if given, is called after each segment. Damage is in the report, not an error.
Result<CheckReport> CheckJournal(const std::string& folder,
                                 const std::function<void(const CheckReport&)>& progress = {});

}  // namespace hawser
