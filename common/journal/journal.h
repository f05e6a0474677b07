// A journal: write groups in order in segment files of one folder. The relay's, and each secondary's own.
//
// One thread appends and flushes. Any thread may read durable(), open a reader (reader.h) and drop old
// segments. "Appended" and "durable" are split: nobody may see, answer or publish a group that is not
// durable.
#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/journal/frame.h"

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
  std::string unfinished_segment;  // removed: a crash had interrupted its creation; usually empty
};

class Journal {
 public:
  virtual ~Journal() = default;

  // Appends a frame that follows appended(). The bytes are in the kernel, not on the disk. ENOSPC, EDQUOT
  // (IsNoRoom): there is no room for its segment; the journal is as it was and the frame can be appended
  // later. After any other failure the journal is poisoned: this and every later call fails with the same
  // error until the journal is opened again.
  virtual Status Append(const Frame& frame) = 0;

  // Makes all that is appended durable (fdatasync). Never retried after a failure: the journal is poisoned
  // then.
  virtual Status Flush() = 0;

  virtual Progress appended() const = 0;
  virtual Progress durable() const = 0;

  // The position before the oldest frame that is still here; readers can begin there or later.
  virtual Progress oldest() const = 0;
  virtual std::uint64_t bytes() const = 0;  // on disk, all segments

  // Deletes the segments that lie wholly at or before `group`. The one being appended to always stays.
  virtual Status DropThrough(Group group) = 0;
};

// Opens the journal in options.folder, or begins a new empty one there, after `start` (start.position.journal
// names it; all zero: a new random id, from nothing). A torn tail is cut, flushed and reported; damage before
// the tail is EBADMSG naming segment and offset. Only one process may have it open (EBUSY names the folder).
Result<std::unique_ptr<Journal>> OpenJournal(const JournalOptions& options, const Progress& start,
                                             RecoveryReport& report);

// Whether options.folder holds a journal.
Result<bool> JournalExists(const std::string& folder);

}  // namespace hawser
