// A journal: write groups in order in segment files of one folder. The relay's, and each secondary's own.
//
// One thread appends, flushes and cuts. Any thread may read durable(), open a reader and drop old segments.
// "Appended" and "durable" are split: nobody may see, answer or publish a group that is not durable.
//
// An interface: files in a folder are the backend that there is (file_journal.h). Whoever holds a journal
// knows nothing of where it lies.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/journal/failure.h"
#include "common/journal/fault.h"
#include "common/journal/frame.h"
#include "common/journal/reader.h"

namespace hawser {

class Disk;

struct JournalOptions {
  std::string folder;
  std::uint64_t segment_bytes = 64 * kMiB;  // a new segment begins when the next frame would go past it
  std::shared_ptr<Disk> disk = nullptr;     // null: the real one (disk.h)
};

// What recovery found and did, for the log and the user.
struct RecoveryReport {
  Progress end;  // the last whole group
  std::uint64_t segments = 0;
  std::uint64_t torn_bytes = 0;  // cut off behind the last whole group; 0 after a clean stop
  std::string torn_segment;
  std::uint64_t torn_offset = 0;
  std::string unfinished_segment;     // removed: a crash had interrupted its creation; usually empty
  std::vector<JournalFault> damage;   // in older segments, as far as their headers and sizes tell
  std::optional<Position> cut_after;  // a CutAfter that a crash had interrupted was ended
};

class Journal {
 public:
  virtual ~Journal() = default;

  // Appends frames, the first of which follows appended(), in one go: the bytes are on their way, not
  // durable. A crash may leave the first of them without the others, never one without those before it.
  // kNoRoom, kNoDescriptors: none of them is appended. After another failure this and every later call fails
  // as this one did, until the journal is opened again.
  virtual JournalStatus Append(std::span<const Frame* const> frames) = 0;
  JournalStatus Append(const Frame& frame) {
    const Frame* const one = &frame;
    return Append(std::span(&one, 1));
  }

  // Makes all that is appended durable. Never retried after a failure.
  virtual JournalStatus Flush() = 0;

  // Takes back every group after `position`, which becomes appended() and durable(); all of it is durable
  // when this returns, and a crash in between ends either before it or after it. Nobody may be reading what
  // is taken back. ENODATA and ESTALE as OpenReader, and then the journal is as it was.
  virtual Status CutAfter(const Position& position) = 0;

  // Begins after `after`. ENODATA if that position has been dropped already, ESTALE if the journal does not
  // hold that position with that digest or is another journal (a divergence), each with both positions named.
  // Use Position{} to begin at the oldest frame that is there.
  virtual Result<std::unique_ptr<JournalReader>> OpenReader(const Position& after) const = 0;

  virtual Progress appended() const = 0;
  virtual Progress durable() const = 0;

  // The position before the oldest frame that is still here; readers can begin there or later.
  virtual Progress oldest() const = 0;
  virtual std::uint64_t bytes() const = 0;  // on disk, all segments

  // Deletes the segments that lie wholly at or before `group`. The one being appended to always stays.
  virtual Status DropThrough(Group group) = 0;

  // What DropThrough(group) would leave as oldest(): the end of the newest segment that lies wholly at or
  // before `group`, or oldest() as it is.
  virtual Progress EndAtOrBefore(Group group) const = 0;
};

// Opens the journal in options.folder, or begins a new empty one there, after `start` (start.position.journal
// names it; all zero: a new random id, from nothing). A torn tail is cut, flushed and reported; damage in the
// last segment is EBADMSG naming segment and offset, damage in older ones is reported: what is whole can be
// read and the journal goes on. Only one process may have it open (EBUSY names the folder).
Result<std::unique_ptr<Journal>> OpenJournal(const JournalOptions& options, const Progress& start,
                                             RecoveryReport& report);

// Whether options.folder holds a journal.
Result<bool> JournalExists(const std::string& folder);

// Deletes the journal in options.folder, if there is one, which nobody has open. The newest segment first: a
// crash in between leaves a beginning of it.
Status EraseJournal(const JournalOptions& options);

}  // namespace hawser
