#include "fuse_secondary/replayer.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "volume/recovery/divergence_note.h"
#include "volume/store/redo.h"

namespace hawser {

Replayer::Replayer(OwnJournal& journal, const Progress& begin, std::vector<ReplicaVolume> volumes,
                   ReplicaBoard& board, ReplicaOptions options)
    : journal_(journal),
      volumes_(std::move(volumes)),
      board_(board),
      options_(std::move(options)),
      applier_(options_.apply_threads,
               [this](const ReplayRecord& record, bool again) { return ApplyRecord(record, again); }),
      at_(begin) {
  for (const VolumeStand& stand : board_.volumes()) {
    names_.push_back(stand.name);
    applied_.push_back(stand.applied.position);
    active_.push_back(stand.active());
  }
  thread_ = std::thread([this] { Run(); });
}

void Replayer::Stop() {
  board_.StopReplay();
  if (thread_.joinable()) thread_.join();
}

void Replayer::Run() {
  while (const auto last = board_.WaitForWork(at_.position.group)) {
    const Status replayed = Replay(*last);
    if (replayed) continue;
    StallAll("replay has stopped, the own journal can't be read: " + replayed.error().Text());
    reader_.reset();
    if (!board_.WaitToRetry(options_.retry_every)) return;
  }
}

Status Replayer::Replay(Group last) {
  if (reader_ == nullptr) {
    HAWSER_ASSIGN(reader_, journal_.OpenReader(at_.position));
  }
  while (true) {
    HAWSER_ASSIGN(const ReplayBatch batch, ReadBatch(*reader_, last, options_.batch_bytes, names_));
    if (batch.groups.empty() || !ApplyBatch(batch)) return {};
  }
}

// When replay has to stop between two groups (the end, a pause), the reader is ahead of what was applied: it
// is opened anew to go on.
bool Replayer::ApplyBatch(const ReplayBatch& batch) {
  for (std::size_t next = 0; next < batch.groups.size();) {
    if (!in_progress_ && !board_.MayGoOn()) {
      reader_.reset();
      return false;
    }
    // The checkpointer may have stopped a volume too.
    for (std::size_t i = 0; i < volumes_.size(); ++i) active_[i] = active_[i] && board_.volume(i).active();
    const std::size_t first = next;
    const bool between_checkpoints = batch.groups[first].needs_checkpoint;
    if (between_checkpoints && !in_progress_ && !AwaitCheckpoint()) return false;
    const std::vector<GroupFailure> failures = ApplySlice(batch, next);
    TellWhatChanged();
    CrashPoint("secondary.applied");
    Publish(batch, first, next);
    if (!failures.empty()) Judge(batch.groups[next], failures);
    if (stalled_ && !board_.WaitToRetry(options_.retry_every)) return false;
    if (between_checkpoints && next > first && !AwaitCheckpoint()) return false;
  }
  return board_.MayGoOn();
}

std::vector<GroupFailure> Replayer::ApplySlice(const ReplayBatch& batch, std::size_t& next) {
  std::vector<std::unique_lock<ViewGate>> gates;
  for (std::size_t i = 0; i < volumes_.size(); ++i) {
    if (active_[i]) gates.emplace_back(volumes_[i].volume->gate());
  }
  const Deadline deadline = SteadyClock::now() + options_.batch_time;
  std::uint64_t bytes = 0;
  for (std::size_t applied = 0; next < batch.groups.size() && MayApplyMore(applied, bytes, deadline);
       ++applied) {
    const bool is_alone = batch.groups[next].needs_checkpoint;
    if (is_alone && applied > 0) break;
    if (auto failures = ApplyGroup(batch.groups[next]); !failures.empty()) return failures;
    bytes += batch.groups[next].bytes;
    ++next;
    if (is_alone) break;
  }
  return {};
}

bool Replayer::MayApplyMore(std::size_t applied, std::uint64_t bytes, Deadline deadline) const {
  if (applied == 0) return true;
  return applied < options_.batch_groups && bytes < options_.batch_bytes && SteadyClock::now() < deadline;
}

std::vector<GroupFailure> Replayer::ApplyGroup(const ReplayGroup& group) {
  if (!in_progress_) {
    in_progress_.emplace(group);
    for (std::size_t i = 0; i < group.records.size(); ++i) {
      const std::size_t volume = group.records[i].volume;
      in_progress_->done[i] = !active_[volume] || group.end.position.group <= applied_[volume].group;
    }
  }
  auto failures = applier_.Apply(*in_progress_);
  if (failures.empty()) in_progress_.reset();
  return failures;
}

Status Replayer::ApplyRecord(const ReplayRecord& record, bool again) {
  Volume& volume = *volumes_[record.volume].volume;
  if (!again) return volume.ApplyInGate(record.record, record.payload);
  HAWSER_TRY(RedoOne(volume.store(), record.record, record.payload));
  volume.FollowInGate(record.record);
  return {};
}

// First the kernel gives up what it has cached, then the position is told: who waits for it reads what it
// says.
void Replayer::TellWhatChanged() {
  for (const ReplicaVolume& volume : volumes_) {
    const std::vector<NodeId> stale = volume.volume->TakeStale();
    if (options_.on_applied && !stale.empty()) options_.on_applied(*volume.volume, stale);
  }
}

// Groups [from, to) are in the stores, and the gates are open.
void Replayer::Publish(const ReplayBatch& batch, std::size_t from, std::size_t to) {
  if (from == to) return;
  if (stalled_) {
    stalled_ = false;
    log::info("replay goes on");
    for (std::size_t i = 0; i < volumes_.size(); ++i) board_.SetVolume(i, Condition::kFine, "");
  }
  for (std::size_t i = from; i < to; ++i) CheckPassed(batch.groups[i]);
  at_ = batch.groups[to - 1].end;
  std::vector<std::size_t> moved;
  for (std::size_t i = 0; i < volumes_.size(); ++i) {
    if (!active_[i] || at_.position.group <= applied_[i].group) continue;
    applied_[i] = at_.position;
    moved.push_back(i);
  }
  board_.Applied(moved, at_);
}

// A volume that was ahead of the own journal has been at this group already: then it must have been the same
// group.
void Replayer::CheckPassed(const ReplayGroup& group) {
  for (std::size_t i = 0; i < volumes_.size(); ++i) {
    const Position& applied = applied_[i];
    if (!active_[i] || applied.group != group.end.position.group || applied == group.end.position) continue;
    active_[i] = 0;
    const std::string problem = OtherHistoryText(applied, group.end.position);
    log::error("volume {}: {}", names_[i].value, problem);
    board_.SetVolume(i, Condition::kDiverged, problem);
  }
}

void Replayer::Judge(const ReplayGroup& group, const std::vector<GroupFailure>& failures) {
  for (const GroupFailure& failure : failures) {
    if (failure.error.code == kStoreDiverged) Diverge(group, failure);
  }
  // Records of volumes that were stopped need no doing.
  for (std::size_t i = 0; i < group.records.size(); ++i) {
    if (!active_[group.records[i].volume]) in_progress_->done[i] = 1;
  }
  const auto passing = std::find_if(failures.begin(), failures.end(), [this](const GroupFailure& failure) {
    return active_[failure.volume] != 0;
  });
  if (passing == failures.end()) return;
  const std::string problem = fmt::format(
      "replay waits at group {} for volume {}, whose store '{}' does not take a record: {}; make room or "
      "mend it, replay then goes on by itself",
      group.end.position.group.value, names_[passing->volume].value,
      volumes_[passing->volume].volume->store().root_path(), passing->error.Text());
  if (!stalled_) log::error("{}", problem);
  StallAll(problem);
}

void Replayer::Diverge(const ReplayGroup& group, const GroupFailure& failure) {
  if (!active_[failure.volume]) return;
  active_[failure.volume] = 0;
  const std::string problem = DivergenceText(failure.error, group.end.position);
  log::error("volume {} has diverged: {}", names_[failure.volume].value, problem);
  board_.SetVolume(failure.volume, Condition::kDiverged, problem);
  if (const Status noted = NoteDivergence(volumes_[failure.volume].checkpoint_path, problem); !noted)
    log::error("the divergence could not be noted: {}", noted.error().Text());
}

void Replayer::StallAll(const std::string& problem) {
  stalled_ = true;
  for (std::size_t i = 0; i < volumes_.size(); ++i) {
    if (active_[i]) board_.SetVolume(i, Condition::kStalled, problem);
  }
}

}  // namespace hawser
