#include "fuse_secondary/own_journal.h"

#include "common/base/log.h"

namespace hawser {

Status OwnJournal::Open(const Progress& start) {
  RecoveryReport report;
  HAWSER_ASSIGN(auto journal, OpenJournal(options_, start, report));
  if (report.torn_bytes > 0) {
    log::info(
        "own journal: {} bytes of an unfinished write group were cut off at {}, offset {}; it ends at {}",
        report.torn_bytes, report.torn_segment, report.torn_offset, report.end.position.Text());
  }
  const MutexLock lock(mutex_);
  journal_ = std::move(journal);
  return {};
}

Status OwnJournal::BeginAnew(const Progress& start) {
  Close();
  HAWSER_TRY(EraseJournal(options_));
  return Open(start);
}

void OwnJournal::Close() {
  const MutexLock lock(mutex_);
  journal_.reset();
}

Status OwnJournal::Append(const Frame& frame) { return CloseOnFailure(journal_->Append(frame)); }

Status OwnJournal::Flush() { return CloseOnFailure(journal_->Flush()); }

Status OwnJournal::DropThrough(Group group) {
  const MutexLock lock(mutex_);
  if (journal_ == nullptr) return {};
  return journal_->DropThrough(group);
}

Result<std::unique_ptr<JournalReader>> OwnJournal::OpenReader(const Position& after) {
  const MutexLock lock(mutex_);
  return journal_ != nullptr ? journal_->OpenReader(after) : OpenJournalReader(options_.folder, after);
}

Status OwnJournal::CloseOnFailure(Status status) {
  if (!status) Close();
  return status;
}

}  // namespace hawser
