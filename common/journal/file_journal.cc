#include "common/journal/file_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>

#include "common/base/descriptors.h"
#include "common/base/files.h"
#include "common/base/log.h"
#include "common/journal/begin.h"
#include "common/journal/cut.h"
#include "common/journal/segment_reader.h"

namespace hawser {

namespace {

Result<UniqueFd> LockFolder(const std::string& folder) {
  const std::string path = fmt::format("{}/{}", folder, kLockName);
  HAWSER_ASSIGN(UniqueFd fd, OpenFile(path, O_RDWR | O_CREAT));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) return ErrnoError("cannot lock", path);
  return Error{EBUSY,
               fmt::format("journal folder '{}' is in use by another process; stop that one first", folder)};
}

void Log(const std::string& folder, const RecoveryReport& report) {
  if (!report.unfinished_segment.empty()) {
    log::warn("journal {}: removed segment {}, whose creation a crash had interrupted", folder,
              report.unfinished_segment);
  }
  if (report.cut_after)
    log::info("journal {}: the groups after {} were being taken back, and are gone", folder,
              report.cut_after->Text());
  if (report.torn_bytes > 0) {
    log::warn("journal {}: cut a torn tail of {} bytes at offset {} of {}, behind {}", folder,
              report.torn_bytes, report.torn_offset, report.torn_segment, report.end.position.Text());
  }
  for (const JournalFault& fault : report.damage)
    log::error("journal {} is damaged: {}", folder, TextOf(fault));
}

std::shared_ptr<Disk> DiskOf(const JournalOptions& options) {
  return options.disk ? options.disk : std::make_shared<Disk>();
}

// Of a journal from before there was such a file.
Status RememberBeginning(const std::string& folder, const Progress& oldest) {
  HAWSER_ASSIGN(const auto begin, ReadBegin(folder));
  return begin ? Status() : WriteBegin(folder, oldest);
}

}  // namespace

Result<std::unique_ptr<FileJournal>> FileJournal::Open(const JournalOptions& options, const Progress& start,
                                                       RecoveryReport& report, std::shared_ptr<Disk> disk) {
  HAWSER_TRY(MakeDirectories(options.folder));
  HAWSER_ASSIGN(UniqueFd lock, LockFolder(options.folder));
  HAWSER_ASSIGN(RecoveredJournal recovered, RecoverJournal(options.folder, start, *disk));
  Log(options.folder, recovered.report);
  std::unique_ptr<FileJournal> journal(new FileJournal(options, std::move(disk), std::move(lock)));
  if (recovered.segments.empty()) {
    Progress& before = recovered.report.end;
    before = start;
    if (before.position.journal == JournalId{}) before.position.journal = JournalId::Random();
    HAWSER_TRY(WriteBegin(options.folder, before));
    HAWSER_TRY(journal->BeginSegment(before, 0));
    recovered.report.segments = 1;
  } else {
    HAWSER_TRY(RememberBeginning(options.folder, recovered.segments.front().before));
    SegmentEntry& last = recovered.segments.back();
    last.bytes = std::max(last.bytes, options.segment_bytes);
    const std::string path = options.folder + "/" + SegmentName(last.first_group());
    HAWSER_ASSIGN(journal->writer_,
                  SegmentWriter::Resume(journal->disk_, path, recovered.offset, last.bytes));
    const MutexLock unshared(journal->state_mutex_);
    journal->segments_ = std::move(recovered.segments);
  }
  journal->appended_ = journal->durable_ = recovered.report.end;
  report = std::move(recovered.report);
  return journal;
}

Status FileJournal::BeginSegment(const Progress& before, std::uint64_t frame_bytes) {
  const std::uint64_t bytes = std::max(options_.segment_bytes, kSegmentHeaderBytes + frame_bytes);
  HAWSER_ASSIGN(writer_, SegmentWriter::Create(disk_, options_.folder, SegmentHeader{before, Now()}, bytes));
  const MutexLock lock(state_mutex_);
  segments_.push_back({before, bytes});
  return {};
}

JournalStatus FileJournal::Append(std::span<const Frame* const> frames) {
  if (poison_) return Poisoned();
  if (auto follow = CheckFollow(frames); !follow) return Poison(follow);
  const std::uint64_t bytes = SlotBytes(frames);
  if (!writer_->Fits(bytes)) {
    // Nothing is written yet: a full disk, or too many open files, leaves the journal as it is.
    if (auto room = MakeRoom(bytes); !room) {
      if (!poison_ && IsNoRoom(room.error())) return {JournalFailure::kNoRoom, room.error()};
      if (!poison_ && IsNoDescriptor(room.error())) return {JournalFailure::kNoDescriptors, room.error()};
      return Poison(room);
    }
  }
  return Poison(TryAppend(frames));
}

Status FileJournal::CheckFollow(std::span<const Frame* const> frames) const {
  Progress before = appended_;
  for (const Frame* frame : frames) {
    HAWSER_TRY(CheckFollows(before, frame->header));
    before = frame->header.progress();
  }
  return {};
}

Status FileJournal::TryAppend(std::span<const Frame* const> frames) {
  if (frames.empty()) return {};
  HAWSER_TRY(writer_->Append(frames));
  const MutexLock lock(state_mutex_);
  appended_ = frames.back()->header.progress();
  return {};
}

Status FileJournal::MakeRoom(std::uint64_t frame_bytes) {
  if (!writer_->empty()) {
    // A segment never begins before all of the one before it is on the disk.
    HAWSER_TRY(Flush());
    return BeginSegment(appended_, frame_bytes);
  }
  HAWSER_TRY(writer_->Grow(frame_bytes));
  const MutexLock lock(state_mutex_);
  segments_.back().bytes = writer_->bytes();
  return {};
}

JournalStatus FileJournal::Flush() { return poison_ ? Poisoned() : Poison(TryFlush()); }

Status FileJournal::TryFlush() {
  HAWSER_TRY(writer_->Flush());
  const MutexLock lock(state_mutex_);
  durable_ = appended_;
  return {};
}

Status FileJournal::CutAfter(const Position& position) {
  if (poison_) return *poison_;
  // Also so that what stays is on the disk, and that the position is there at all.
  HAWSER_TRY(Flush());
  HAWSER_TRY(OpenReader(position));
  if (position == appended_.position) return {};
  return Poison(TryCut(position));
}

Status FileJournal::TryCut(const Position& position) {
  const MutexLock dropping(drop_mutex_);
  HAWSER_ASSIGN(const CutJournal cut, CutBehind(options_.folder, position, *disk_));
  {
    const MutexLock lock(state_mutex_);
    std::erase_if(segments_, [&](const SegmentEntry& entry) { return entry.first_group() > cut.segment; });
    appended_ = durable_ = cut.end;
  }
  const std::string path = options_.folder + "/" + SegmentName(cut.segment);
  HAWSER_ASSIGN(writer_, SegmentWriter::Resume(disk_, path, cut.offset, cut.bytes));
  return {};
}

Result<std::unique_ptr<JournalReader>> FileJournal::OpenReader(const Position& after) const {
  if (after != Position{}) return OpenJournalReader(options_.folder, after);
  // The oldest that is whole; it may be dropped while we look for it.
  for (;;) {
    const Position first = oldest().position;
    auto reader = OpenJournalReader(options_.folder, first);
    if (reader || oldest().position == first) return reader;
  }
}

JournalStatus FileJournal::Poison(const Status& status) {
  if (status) return {};
  if (!poison_) {
    poison_ = status.error();
    // ENOSPC would say that the frame can be appended later.
    if (IsNoRoom(*poison_)) poison_ = Error{EIO, poison_->Text()};
    log::error("journal {}: {}; nothing is accepted until it is opened again", options_.folder,
               poison_->Text());
  }
  return Poisoned();
}

JournalStatus FileJournal::Poisoned() const { return {JournalFailure::kFailed, *poison_}; }

Progress FileJournal::appended() const {
  const MutexLock lock(state_mutex_);
  return appended_;
}

Progress FileJournal::durable() const {
  const MutexLock lock(state_mutex_);
  return durable_;
}

Progress FileJournal::oldest() const {
  const MutexLock lock(state_mutex_);
  return segments_.front().before;
}

std::uint64_t FileJournal::bytes() const {
  const MutexLock lock(state_mutex_);
  std::uint64_t bytes = 0;
  for (const SegmentEntry& segment : segments_) bytes += segment.bytes;
  return bytes;
}

Status FileJournal::DropThrough(Group group) {
  const MutexLock dropping(drop_mutex_);
  const Progress begin = EndAtOrBefore(group);
  if (begin == oldest()) return {};
  HAWSER_TRY(WriteBegin(options_.folder, begin));
  while (const auto path = TakeOldest(group)) {
    HAWSER_TRY(disk_->Remove(*path));
    // One by one: a power cut must not keep an older one without a newer one.
    HAWSER_TRY(disk_->FlushFolder(options_.folder));
  }
  return {};
}

std::optional<std::string> FileJournal::TakeOldest(Group group) {
  const MutexLock lock(state_mutex_);
  if (segments_.size() < 2 || segments_[1].before.position.group > group) return std::nullopt;
  const std::string path = options_.folder + "/" + SegmentName(segments_.front().first_group());
  segments_.erase(segments_.begin());
  return path;
}

Progress FileJournal::EndAtOrBefore(Group group) const {
  const MutexLock lock(state_mutex_);
  for (std::size_t i = segments_.size() - 1; i > 0; --i) {
    if (segments_[i].before.position.group <= group) return segments_[i].before;
  }
  return segments_.front().before;
}

Result<std::unique_ptr<Journal>> OpenJournal(const JournalOptions& options, const Progress& start,
                                             RecoveryReport& report) {
  HAWSER_ASSIGN(auto journal, FileJournal::Open(options, start, report, DiskOf(options)));
  return std::unique_ptr<Journal>(std::move(journal));
}

Status EraseJournal(const JournalOptions& options) {
  auto groups = ListSegments(options.folder);
  if (!groups) return groups.error().code == ENOENT ? Status() : std::move(groups).error();
  const std::shared_ptr<Disk> disk = DiskOf(options);
  for (; !groups->empty(); groups->pop_back()) {
    HAWSER_TRY(disk->Remove(options.folder + "/" + SegmentName(groups->back())));
    HAWSER_TRY(disk->FlushFolder(options.folder));
  }
  return {};
}

Result<bool> JournalExists(const std::string& folder) {
  const auto groups = ListSegments(folder);
  if (!groups) {
    if (groups.error().code == ENOENT) return false;
    return groups.error();
  }
  if (groups->empty()) return false;
  if (groups->size() > 1) return true;
  HAWSER_ASSIGN(const bool unfinished, IsUnfinishedSegment(folder, groups->front()));
  return !unfinished;
}

}  // namespace hawser
