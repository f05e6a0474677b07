#include "fuse_secondary/replayer.h"

#include <mutex>
#include <span>

#include "common/base/crash_point.h"
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
      state_(begin, Replayed(), board_),
      remedies_(journal_, state_.names()) {
  thread_ = std::thread([this] { Run(); });
}

std::vector<ReplayedVolume> Replayer::Replayed() {
  std::vector<ReplayedVolume> replayed;
  for (const ReplicaVolume& volume : volumes_) {
    places_.emplace_back(volume.checkpoint_path);
    stores_.push_back(Recoverable(volume.volume->store()));
    replayed.push_back({&places_.back(), stores_.back().get(), volume.volume->store().root_path()});
  }
  return replayed;
}

void Replayer::Stop() {
  board_.StopReplay();
  if (thread_.joinable()) thread_.join();
}

void Replayer::Run() {
  while (const auto last = board_.WaitForWork(state_.at().position.group)) {
    const Status replayed = Replay(*last);
    if (replayed) continue;
    state_.Stalled("replay has stopped, the own journal can't be read: " + replayed.error().Text());
    reader_.reset();
    if (!board_.WaitToRetry(options_.retry_every, state_.within_group())) return;
  }
}

Status Replayer::Replay(Group last) {
  if (reader_ == nullptr) {
    HAWSER_ASSIGN(reader_, journal_.OpenReader(state_.at().position));
  }
  while (true) {
    HAWSER_ASSIGN(const ReplayBatch batch, ReadBatch(*reader_, last, options_.batch_bytes, state_.names()));
    if (batch.groups.empty() || !ApplyBatch(batch)) return {};
  }
}

// When replay has to stop between two groups (the end, a pause), the reader is ahead of what was applied: it
// is opened anew to go on.
bool Replayer::ApplyBatch(const ReplayBatch& batch) {
  for (std::size_t next = 0; next < batch.groups.size();) {
    if (!state_.within_group() && !board_.MayGoOn()) {
      reader_.reset();
      return false;
    }
    state_.LookAtBoard();
    const std::size_t first = next;
    const bool between_checkpoints = batch.groups[first].needs_checkpoint;
    if (between_checkpoints && !state_.within_group() && !AwaitCheckpoint()) return false;
    const std::vector<GroupFailure> failures = ApplySlice(batch, next);
    TellWhatChanged();
    CrashPoint("secondary.applied");
    state_.Passed(std::span(batch.groups).subspan(first, next - first));
    state_.Wait(failures);
    if (state_.stalled() && !board_.WaitToRetry(options_.retry_every, state_.within_group())) return false;
    if (between_checkpoints && next > first && !AwaitCheckpoint()) return false;
  }
  return board_.MayGoOn();
}

std::vector<GroupFailure> Replayer::ApplySlice(const ReplayBatch& batch, std::size_t& next) {
  std::vector<std::unique_lock<ViewGate>> gates;
  for (std::size_t i = 0; i < volumes_.size(); ++i) {
    if (state_.active(i)) gates.emplace_back(volumes_[i].volume->gate());
  }
  const Deadline deadline = SteadyClock::now() + options_.batch_time;
  std::uint64_t bytes = 0;
  for (std::size_t applied = 0; next < batch.groups.size() && MayApplyMore(applied, bytes, deadline);
       ++applied) {
    const bool is_alone = batch.groups[next].needs_checkpoint;
    if (is_alone && applied > 0) break;
    if (auto waiting = ApplyGroup(batch.groups[next]); !waiting.empty()) return waiting;
    state_.Applied();
    bytes += batch.groups[next].bytes;
    ++next;
    if (is_alone) break;
  }
  return {};
}

// What has to be waited for.
std::vector<GroupFailure> Replayer::ApplyGroup(const ReplayGroup& group) {
  for (;;) {
    const auto failures = applier_.Apply(state_.Enter(group));
    if (failures.empty()) return {};
    auto waiting = state_.Settle(failures, [this](Sequence refused) { return IsRemedied(refused); });
    if (!waiting.empty()) return waiting;
  }
}

bool Replayer::MayApplyMore(std::size_t applied, std::uint64_t bytes, Deadline deadline) const {
  if (applied == 0) return true;
  return applied < options_.batch_groups && bytes < options_.batch_bytes && SteadyClock::now() < deadline;
}

Status Replayer::ApplyRecord(const ReplayRecord& record, bool again) {
  Volume& volume = *volumes_[record.volume].volume;
  HAWSER_ASSIGN(const Manner manner, state_.MannerOf(record, again));
  if (!manner.anyhow) return volume.ApplyInGate(record.record, record.payload, {.differs = manner.differs});
  HAWSER_TRY(RedoOne(volume.store(), record.record, record.payload, manner.differs));
  volume.FollowInGate(record.record);
  return {};
}

bool Replayer::IsRemedied(Sequence refused) {
  return remedies_.Find(refused, state_.at(), board_.received().position.group);
}

// First the kernel gives up what it has cached, then the position is told: who waits for it reads what it
// says.
void Replayer::TellWhatChanged() {
  for (const ReplicaVolume& volume : volumes_) {
    const Stale stale = volume.volume->TakeStale();
    if (options_.on_applied && !stale.empty()) options_.on_applied(*volume.volume, stale);
  }
}

}  // namespace hawser
