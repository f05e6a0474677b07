// What the threads of a replica know of each other: positions, conditions, and the wish to pause or stop.
// Thread safe; its lock is held for memory operations only.
//
// For each volume checkpoint <= applied, and applied <= received for what was replayed here; each of them
// only grows.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/net/messages.h"
#include "common/record/head_times.h"
#include "common/record/position.h"
#include "fuse_secondary/heard_head.h"
#include "volume/recovery/volume_stand.h"

namespace hawser {

struct BoardOptions {
  std::chrono::milliseconds disconnected_after;
  std::chrono::milliseconds live_within;
};

class ReplicaBoard {
 public:
  ReplicaBoard(BoardOptions options, const Progress& received, std::vector<VolumeStand> volumes);

  // Receiver. A word from the relay; `head` is what it has.
  void Heard(const Progress& head);
  void Received(const Progress& durable);
  // Before there are threads: a head that an earlier run has heard of.
  void Remember(const Progress& head);
  void SetStream(Condition condition, const std::string& problem);

  // Replayer. Waits until something after `done` is durable and replay isn't paused; the newest durable
  // group. nullopt: the end. While it waits, replay stands.
  std::optional<Group> WaitForWork(Group done);
  // At a group boundary: whether the next group may be begun.
  bool MayGoOn() const;
  // After a failure: waits for `time`; false: the end. Between two groups replay stands while it waits, and
  // waits as long as it is paused; within one it goes on to the group's end.
  bool WaitToRetry(std::chrono::milliseconds time, bool within_group);
  // `differences`: of the volumes whose have changed with that.
  void Applied(const std::vector<std::size_t>& volumes, const Progress& progress,
               const std::vector<std::pair<std::size_t, Differences>>& differences = {});
  // Has a checkpoint made now, and waits until all active volumes have theirs at `group`; false: the end.
  bool WaitUntilCheckpointed(Group group);
  void SetVolume(std::size_t volume, Condition condition, const std::string& problem);

  // Checkpointer. Waits for `time`, or until `bytes` have been replayed since the last checkpoint; false: the
  // end.
  bool WaitForCheckpoint(std::chrono::milliseconds time, std::uint64_t bytes);
  void Checkpointed(std::size_t volume, const Progress& progress);
  void NoCheckpoint(std::size_t volume, const std::string& why);  // until the next that is made

  // The scrub of the own journal. What isn't whole in it; empty: nothing.
  void SetDamage(const std::string& what);

  // Anyone. Paused, replay stands once it is at the end of a group.
  void SetPaused(bool paused);
  bool stands() const;  // paused, and nothing will be applied
  void StopReplay();
  void StopCheckpoints();

  // Through which group nobody needs the own journal any more. A volume that has stopped for good doesn't
  // keep it: it is copied anew anyway.
  Group unneeded() const;

  std::vector<VolumeStand> volumes() const;
  VolumeStand volume(std::size_t index) const;
  Progress received() const;
  Progress head() const;
  // The newest head that this run has heard of and when the relay gave its last word; nullopt: not one yet.
  std::optional<HeardHead> heard() const;
  bool connected() const;
  std::vector<VolumeReport> Reports() const;
  // The copies that nobody may look at: they need a sync, and hold nothing yet or no whole state, or are
  // still to be brought to one. For each, why.
  std::map<VolumeName, std::string> Unshown() const;

 private:
  bool BeginsLocked() const HAWSER_REQUIRES(mutex_);
  bool ConnectedLocked() const HAWSER_REQUIRES(mutex_);
  ReplicaState StateLocked(std::size_t volume) const HAWSER_REQUIRES(mutex_);
  std::chrono::milliseconds LagLocked(const VolumeStand& volume) const HAWSER_REQUIRES(mutex_);

  const BoardOptions options_;
  const SteadyClock::time_point began_ = SteadyClock::now();
  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<VolumeStand> volumes_ HAWSER_GUARDED_BY(mutex_);
  Progress received_ HAWSER_GUARDED_BY(mutex_);
  Progress head_ HAWSER_GUARDED_BY(mutex_);
  HeadTimes heads_ HAWSER_GUARDED_BY(mutex_);
  std::optional<SteadyClock::time_point> heard_ HAWSER_GUARDED_BY(mutex_);
  std::vector<std::string> no_checkpoint_ HAWSER_GUARDED_BY(mutex_);  // why, by volume; empty: all is well
  std::string damage_ HAWSER_GUARDED_BY(mutex_);
  Condition stream_ HAWSER_GUARDED_BY(mutex_) = Condition::kFine;
  std::string stream_problem_ HAWSER_GUARDED_BY(mutex_);
  bool paused_ HAWSER_GUARDED_BY(mutex_) = false;
  bool stands_ HAWSER_GUARDED_BY(mutex_) = false;  // replay is at a group boundary and waits
  bool stop_replay_ HAWSER_GUARDED_BY(mutex_) = false;
  bool stop_checkpoints_ HAWSER_GUARDED_BY(mutex_) = false;
  bool checkpoint_wanted_ HAWSER_GUARDED_BY(mutex_) = false;
};

}  // namespace hawser
