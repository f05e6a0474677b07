// What replay decides: which records of a group are still to be applied, what becomes of a volume whose store
// refuses one, and how far each volume is. The replayer (replayer.h) reads the own journal, holds the gates
// and applies; the simulation (tests/sim) does so its own way, by the same decisions.
//
// A divergence stops its volume and leaves the others going: it is noted beside the checkpoint. A record that
// a store refuses for good is gone on without, and its path noted (volume/recovery/differences.h). Anything
// else may pass: the whole of replay waits at that group, since all volumes share one order, and only what is
// missing of it is tried again.
//
// One thread. What others are to know goes to the board.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fuse_secondary/group_applier.h"
#include "fuse_secondary/replica_board.h"
#include "volume/recovery/checkpoint_place.h"
#include "volume/recovery/differences.h"
#include "volume/recovery/recoverable_store.h"

namespace hawser {

struct ReplayedVolume {
  CheckpointPlace* place = nullptr;   // outlives the replay
  RecoverableStore* store = nullptr;  // the same
  std::string path;                   // of the store, for messages
};

// Whether the journal holds the end of a remedy for the record with this sequence, as far as it is there.
using FindRemedy = std::function<bool(Sequence refused)>;

class ReplayState {
 public:
  // Goes on after `begin`; a volume whose applied position is ahead of that is left alone up to there.
  // `volumes` in the order of the board, which outlives this.
  ReplayState(const Progress& begin, std::vector<ReplayedVolume> volumes, ReplicaBoard& board);

  const std::vector<VolumeName>& names() const { return names_; }
  const Progress& at() const { return at_; }
  bool active(std::size_t volume) const { return active_[volume] != 0; }
  const Position& applied(std::size_t volume) const { return applied_[volume]; }
  bool stalled() const { return stalled_; }
  // Whether a group is in the stores in part: replay doesn't stop there of itself.
  bool within_group() const { return in_progress_.has_value(); }

  // Before groups are applied: others may have stopped a volume too.
  void LookAtBoard();
  // What is missing of the group; the same until it was applied whole. The group outlives that.
  GroupInProgress& Enter(const ReplayGroup& group);
  void Applied();
  // It could not be applied whole: what can be decided is, still behind the gates. Returns what has to be
  // waited for; if that is nothing, the rest of the group is applied at once.
  std::vector<GroupFailure> Settle(const std::vector<GroupFailure>& failures, const FindRemedy& find_remedy);
  // After the groups before it have passed: replay waits for these.
  void Wait(const std::vector<GroupFailure>& failures);
  // How a record of the group is to be applied, or why not (differences.h). Any thread while the group is.
  Result<Manner> MannerOf(const ReplayRecord& record, bool again) const {
    return differences_[record.volume].MannerOf(record.record, again);
  }
  // The own journal can't be read.
  void Stalled(const std::string& problem);

  // These groups are in the stores, readers may look, and the kernel has given up what it kept of their
  // files.
  void Passed(std::span<const ReplayGroup> groups);

 private:
  Consequence Weigh(const GroupFailure& failure, const FindRemedy& find_remedy);
  void GoOnWithout(const GroupFailure& failure);
  void CheckPassed(const Position& group);
  void Diverge(const Position& group, const GroupFailure& failure);
  void Stop(std::size_t volume, const std::string& problem);

  std::vector<ReplayedVolume> volumes_;
  ReplicaBoard& board_;
  std::vector<VolumeName> names_;
  Progress at_;
  // By volume; the board shows it to others.
  std::vector<Position> applied_;
  std::vector<char> active_;
  std::vector<Differences> differences_;
  std::optional<GroupInProgress> in_progress_;
  bool stalled_ = false;
};

}  // namespace hawser
