// The journal in segment files: the default behind journal.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/unique_fd.h"
#include "common/journal/disk.h"
#include "common/journal/journal.h"
#include "common/journal/recovery.h"
#include "common/journal/segment_writer.h"

namespace hawser {

// Threading as journal.h says. `state_mutex_` guards the numbers and the list of segments and is never held
// over a system call; `drop_mutex_` lets one thread at a time remove segments and is taken before it.
class FileJournal : public Journal {
 public:
  // As OpenJournal, on a disk that may be made to fail.
  static Result<std::unique_ptr<FileJournal>> Open(const JournalOptions& options, const Progress& start,
                                                   RecoveryReport& report, std::shared_ptr<Disk> disk);

  using Journal::Append;
  JournalStatus Append(std::span<const Frame* const> frames) override;
  JournalStatus Flush() override;
  Status CutAfter(const Position& position) override;
  Result<std::unique_ptr<JournalReader>> OpenReader(const Position& after) const override;
  Progress appended() const override;
  Progress durable() const override;
  Progress oldest() const override;
  std::uint64_t bytes() const override;
  Status DropThrough(Group group) override;
  Progress EndAtOrBefore(Group group) const override;

 private:
  FileJournal(JournalOptions options, std::shared_ptr<Disk> disk, UniqueFd lock)
      : options_(std::move(options)), disk_(std::move(disk)), lock_(std::move(lock)) {}

  // Creates the segment after `before`, large enough for first frames that take so many bytes (SlotBytes).
  Status BeginSegment(const Progress& before, std::uint64_t frame_bytes);
  // So that frames of these sizes fit: the segment is empty and grows, or a new one begins.
  Status MakeRoom(std::uint64_t frame_bytes);
  Status CheckFollow(std::span<const Frame* const> frames) const;
  Status TryAppend(std::span<const Frame* const> frames);
  Status TryFlush();
  Status TryCut(const Position& position);
  // Remembers the first failure: all that is called later fails with it.
  JournalStatus Poison(const Status& status);
  JournalStatus Poisoned() const;

  // Forgets the oldest segment and returns its path, if it lies wholly at or before `group` and isn't the
  // last.
  std::optional<std::string> TakeOldest(Group group);

  const JournalOptions options_;
  const std::shared_ptr<Disk> disk_;
  const UniqueFd lock_;

  // Only the appending thread.
  std::unique_ptr<SegmentWriter> writer_;
  std::optional<Error> poison_;

  Mutex drop_mutex_;
  mutable Mutex state_mutex_;
  std::vector<SegmentEntry> segments_ HAWSER_GUARDED_BY(state_mutex_);  // never empty once open
  // Changed under it by the appending thread, which alone reads them without.
  Progress appended_;
  Progress durable_;  // durable_ <= appended_
};

}  // namespace hawser
