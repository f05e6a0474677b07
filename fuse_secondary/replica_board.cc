#include "fuse_secondary/replica_board.h"

#include <fmt/format.h>

#include <algorithm>

namespace hawser {

namespace {

constexpr std::chrono::milliseconds kAskAgain{100};
constexpr const char* kPaused = "it goes on after 'hawser resume'";
constexpr const char* kSilent = "nothing comes over the relay's stream port";

ReplicaState StateOf(Condition condition) {
  switch (condition) {
    case Condition::kFine:
      return ReplicaState::kLive;
    case Condition::kStalled:
    case Condition::kFailed:
      return ReplicaState::kStalled;
    case Condition::kNeedsSync:
      return ReplicaState::kNeedsSync;
    case Condition::kDiverged:
      return ReplicaState::kDiverged;
  }
  return ReplicaState::kUnknown;
}

constexpr std::size_t kMostReported = 20;
constexpr std::size_t kMostTextBytes = 500;

std::string Shortened(const std::string& text) {
  return text.size() <= kMostTextBytes ? text : text.substr(0, kMostTextBytes) + "...";
}

std::string DifferText(const std::vector<std::string>& differing) {
  return fmt::format("{} here {} not what the journal says: {}{}",
                     differing.size() == 1 ? "a path" : fmt::format("{} paths", differing.size()),
                     differing.size() == 1 ? "is" : "are", Shortened(differing.front()),
                     differing.size() == 1 ? "" : ", ...");
}

std::vector<std::string> FirstOf(const std::vector<std::string>& differing) {
  std::vector<std::string> first;
  for (std::size_t i = 0; i < std::min(differing.size(), kMostReported); ++i)
    first.push_back(Shortened(differing[i]));
  return first;
}

}  // namespace

ReplicaBoard::ReplicaBoard(BoardOptions options, const Progress& received, std::vector<VolumeStand> volumes)
    : options_(options),
      volumes_(std::move(volumes)),
      received_(received),
      head_(received),
      no_checkpoint_(volumes_.size()) {}

void ReplicaBoard::Heard(const Progress& head) {
  const MutexLock lock(mutex_);
  const auto now = SteadyClock::now();
  heard_ = now;
  if (head.position.group <= head_.position.group && head.position.journal == head_.position.journal) return;
  head_ = head;
  Group behind = head.position.group;
  for (const VolumeStand& volume : volumes_) {
    if (volume.active()) behind = std::min(behind, volume.applied.position.group);
  }
  heads_.Forget(behind);
  heads_.Found(head.position.group, now);
}

void ReplicaBoard::Remember(const Progress& head) {
  const MutexLock lock(mutex_);
  const bool follows = head.position.journal == head_.position.journal || head_.position.group == Group{};
  if (follows && head.position.group > head_.position.group) head_ = head;
}

void ReplicaBoard::Received(const Progress& durable) {
  const MutexLock lock(mutex_);
  received_ = durable;
  changed_.NotifyAll();
}

void ReplicaBoard::SetStream(Condition condition, const std::string& problem) {
  const MutexLock lock(mutex_);
  stream_ = condition;
  stream_problem_ = problem;
}

std::optional<Group> ReplicaBoard::WaitForWork(Group done) {
  const MutexLock lock(mutex_);
  stands_ = true;
  while (!stop_replay_ && (paused_ || received_.position.group <= done)) changed_.Wait(mutex_);
  stands_ = false;
  if (stop_replay_) return std::nullopt;
  return received_.position.group;
}

bool ReplicaBoard::MayGoOn() const {
  const MutexLock lock(mutex_);
  return !stop_replay_ && !paused_;
}

bool ReplicaBoard::WaitToRetry(std::chrono::milliseconds time, bool within_group) {
  const MutexLock lock(mutex_);
  stands_ = !within_group;
  const Deadline deadline = SteadyClock::now() + time;
  while (!stop_replay_ && changed_.WaitUntil(mutex_, deadline)) {
  }
  while (!stop_replay_ && paused_ && !within_group) changed_.Wait(mutex_);
  stands_ = false;
  return !stop_replay_;
}

void ReplicaBoard::Applied(const std::vector<std::size_t>& volumes, const Progress& progress,
                           const std::vector<std::pair<std::size_t, Differences>>& differences) {
  const MutexLock lock(mutex_);
  for (const auto& [volume, there] : differences) volumes_[volume].differences = there;
  for (const std::size_t volume : volumes) volumes_[volume].applied = progress;
  changed_.NotifyAll();
}

void ReplicaBoard::SetVolume(std::size_t volume, Condition condition, const std::string& problem) {
  const MutexLock lock(mutex_);
  // What only a repair or a restart ends is not taken back.
  if (!volumes_[volume].active()) return;
  volumes_[volume].condition = condition;
  volumes_[volume].problem = problem;
  changed_.NotifyAll();
}

bool ReplicaBoard::WaitForCheckpoint(std::chrono::milliseconds time, std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  const auto due = [&](const VolumeStand& volume) {
    return volume.active() && volume.applied.journal_bytes >= volume.checkpoint.journal_bytes + bytes;
  };
  const Deadline deadline = SteadyClock::now() + time;
  while (!stop_checkpoints_ && !checkpoint_wanted_ && std::none_of(volumes_.begin(), volumes_.end(), due) &&
         changed_.WaitUntil(mutex_, deadline)) {
  }
  checkpoint_wanted_ = false;
  return !stop_checkpoints_;
}

void ReplicaBoard::Checkpointed(std::size_t volume, const Progress& progress) {
  const MutexLock lock(mutex_);
  volumes_[volume].checkpoint = progress;
  no_checkpoint_[volume].clear();
  changed_.NotifyAll();
}

void ReplicaBoard::NoCheckpoint(std::size_t volume, const std::string& why) {
  const MutexLock lock(mutex_);
  no_checkpoint_[volume] = why;
}

void ReplicaBoard::SetDamage(const std::string& what) {
  const MutexLock lock(mutex_);
  damage_ = what;
}

bool ReplicaBoard::WaitUntilCheckpointed(Group group) {
  const MutexLock lock(mutex_);
  const auto there = [&](const VolumeStand& volume) {
    return !volume.active() || volume.checkpoint.position.group >= group;
  };
  while (!stop_replay_ && !std::all_of(volumes_.begin(), volumes_.end(), there)) {
    checkpoint_wanted_ = true;
    changed_.NotifyAll();
    (void)changed_.WaitUntil(mutex_, SteadyClock::now() + kAskAgain);
  }
  return !stop_replay_;
}

void ReplicaBoard::SetPaused(bool paused) {
  const MutexLock lock(mutex_);
  paused_ = paused;
  changed_.NotifyAll();
}

bool ReplicaBoard::stands() const {
  const MutexLock lock(mutex_);
  return paused_ && stands_;
}

void ReplicaBoard::StopReplay() {
  const MutexLock lock(mutex_);
  stop_replay_ = true;
  changed_.NotifyAll();
}

void ReplicaBoard::StopCheckpoints() {
  const MutexLock lock(mutex_);
  stop_checkpoints_ = true;
  changed_.NotifyAll();
}

Group ReplicaBoard::unneeded() const {
  const MutexLock lock(mutex_);
  Group unneeded = received_.position.group;
  for (const VolumeStand& stand : volumes_) {
    if (stand.active() || stand.condition == Condition::kFailed)
      unneeded = std::min(unneeded, stand.checkpoint.position.group);
  }
  return unneeded;
}

std::vector<VolumeStand> ReplicaBoard::volumes() const {
  const MutexLock lock(mutex_);
  return volumes_;
}

VolumeStand ReplicaBoard::volume(std::size_t index) const {
  const MutexLock lock(mutex_);
  return volumes_[index];
}

Progress ReplicaBoard::received() const {
  const MutexLock lock(mutex_);
  return received_;
}

Progress ReplicaBoard::head() const {
  const MutexLock lock(mutex_);
  return head_;
}

std::optional<HeardHead> ReplicaBoard::heard() const {
  const MutexLock lock(mutex_);
  if (!heard_) return std::nullopt;
  const auto ago = std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyClock::now() - *heard_);
  return HeardHead{head_, {Now().nanoseconds - ago.count()}};
}

bool ReplicaBoard::connected() const {
  const MutexLock lock(mutex_);
  return ConnectedLocked();
}

// Before the relay's first word it isn't known to be away.
bool ReplicaBoard::BeginsLocked() const {
  return !heard_ && SteadyClock::now() - began_ <= options_.disconnected_after;
}

bool ReplicaBoard::ConnectedLocked() const {
  return heard_ && SteadyClock::now() - *heard_ <= options_.disconnected_after;
}

std::chrono::milliseconds ReplicaBoard::LagLocked(const VolumeStand& volume) const {
  const auto since = heads_.Since(volume.applied.position.group);
  if (!since) return std::chrono::milliseconds(0);
  return std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - *since);
}

ReplicaState ReplicaBoard::StateLocked(std::size_t index) const {
  const VolumeStand& volume = volumes_[index];
  ReplicaState state = Worse(StateOf(volume.condition), StateOf(stream_));
  if (!volume.differences.empty()) state = Worse(state, ReplicaState::kDiffers);
  if (!no_checkpoint_[index].empty()) state = Worse(state, ReplicaState::kStalled);
  if (paused_) state = Worse(state, ReplicaState::kPaused);
  if (!ConnectedLocked())
    state = Worse(state, BeginsLocked() ? ReplicaState::kCatchingUp : ReplicaState::kDisconnected);
  if (LagLocked(volume) > options_.live_within) state = Worse(state, ReplicaState::kCatchingUp);
  return state;
}

std::vector<VolumeReport> ReplicaBoard::Reports() const {
  const MutexLock lock(mutex_);
  std::vector<VolumeReport> reports;
  for (std::size_t i = 0; i < volumes_.size(); ++i) {
    const VolumeStand& volume = volumes_[i];
    std::string problem = volume.problem;
    const std::vector<std::string> differing = volume.differences.Texts();
    if (!differing.empty()) problem += (problem.empty() ? "" : "; ") + DifferText(differing);
    const bool silent = !ConnectedLocked() && !BeginsLocked();
    for (const std::string& more :
         {stream_problem_, no_checkpoint_[i], damage_, std::string(silent ? kSilent : ""),
          std::string(paused_ ? kPaused : "")}) {
      if (!more.empty()) problem += (problem.empty() ? "" : "; ") + more;
    }
    reports.push_back({.volume = volume.name,
                       .role = ReplicaRole::kSecondary,
                       .state = StateLocked(i),
                       .applied = volume.applied,
                       .checkpoint = volume.checkpoint,
                       .problem = std::move(problem),
                       .differences = differing.size(),
                       .differing = FirstOf(differing)});
  }
  return reports;
}

std::map<VolumeName, std::string> ReplicaBoard::Unshown() const {
  const MutexLock lock(mutex_);
  std::map<VolumeName, std::string> unshown;
  for (std::size_t i = 0; i < volumes_.size(); ++i) {
    const VolumeStand& volume = volumes_[i];
    const bool is_empty = volume.applied.position.group == Group{};
    if (volume.active() && !volume.whole) unshown[volume.name] = "isn't whole yet: " + volume.problem;
    if (StateLocked(i) != ReplicaState::kNeedsSync || (volume.whole && !is_empty)) continue;
    unshown[volume.name] = fmt::format(
        "{} and needs a sync", volume.whole ? "holds nothing yet" : "was left in the middle of its work");
  }
  return unshown;
}

}  // namespace hawser
