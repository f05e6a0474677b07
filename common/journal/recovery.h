// What opening a journal finds on the disk, and how it makes that whole again.
//
// clang-format off
// | The crash came                         | On the disk                            | Recovery                       |
// |----------------------------------------|----------------------------------------|--------------------------------|
// | before anything, or in MakeDirectories | no folder, or one without segments     | begins the journal             |
// | creating the first segment             | one segment: empty, or part of a       | removes it, begins the journal |
// |                                        | header, then zeros                     |                                |
// | creating a later segment               | the same, as the last segment          | removes it: the one before is  |
// |                                        |                                        | the last                       |
// | after creating a segment               | a header and zeros                     | goes on in it                  |
// | in an append (of several frames, too)  | whole frames, then part of one         | cuts the part, reports it      |
// | after appends, before the flush        | any of the frames since the last       | keeps those that follow, cuts  |
// |                                        | flush, whole or in part, in any order  | what is behind, reports it     |
// | after a flush                          | whole frames, then zeros               | nothing                        |
// | while zeros were written ahead         | whole frames, then zeros               | nothing                        |
// | in DropThrough                         | the oldest segments are gone, or not   | nothing                        |
// |                                        | yet                                    |                                |
// | cutting a torn tail                    | as before, with zeros in some places   | cuts it                        |
// | in CutAfter                            | the mark of it (cut.h), later segments | cuts there, and removes the    |
// |                                        | and groups, or not, or in part         | mark                           |
// clang-format on
//
// What no crash leaves is damage. In the last segment it is refused with EBADMSG, naming segment and offset:
// a header that is not whole with something behind it; a frame that is not whole (or does not follow) before
// one that was written after it had been flushed (the stamp tells, see segment.h). So is a segment of another
// journal, or of another history: what follows would not be what others hold.
//
// Damage in older segments keeps nobody from going on: it is reported, readers never give out what isn't
// whole, and the scrub (scrub.h) looks for what headers and sizes don't tell.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/journal/disk.h"
#include "common/journal/journal.h"

namespace hawser {

// A segment as the journal keeps it in memory.
struct SegmentEntry {
  Progress before;          // the state before its first frame
  std::uint64_t bytes = 0;  // on disk

  Group first_group() const { return Next(before.position.group); }
};

struct RecoveredJournal {
  RecoveryReport report;
  std::vector<SegmentEntry> segments;  // in order; empty: the journal is to begin
  std::uint64_t offset = 0;            // where the last segment goes on
};

// Recovers the journal in `folder`, which the caller has locked. When this returns, what it reports is on the
// disk. `start` is where a journal would begin if there is none.
Result<RecoveredJournal> RecoverJournal(const std::string& folder, const Progress& start, Disk& disk);

}  // namespace hawser
