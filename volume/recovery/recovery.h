// The one recovery, for every role: brings the stores of a node's volumes from their checkpoints to a state
// after some whole group, by the records of a journal, before they are shown.
//
// A core that is fed. It says which records it wants next; whoever has them (the own journal, the relay)
// hands them in, at once or much later. It reads no journal, sends nothing and knows no clock; the simulation
// (tests/sim) drives it as the nodes do. It changes the stores and their checkpoints through the two
// interfaces that it is given.
//
//   ReadStands()            how far each volume is, by its checkpoint
//   Begin(journal)          which volumes the journal leads on from, and how far they have to go
//   while (wanted())        Take(groups), or Refused(why not)
//
// After an unclean end a store may hold anything of what comes after its checkpoint: everything up to the
// journal's end is redone (volume/store/redo.h). That takes the records twice: first they are all looked at,
// then applied. Before the first one is applied, no checkpoint says any more that its end was clean.
// A copy's store holds only what the node's own journal has; if that one is gone, or has lost its end, it
// takes the relay's (IsProvenBy).
//
// A record that a store refuses for good is gone on without (differences.h). Of a copy the path is noted, and
// what can be tried again is tried at the end of each recovery. A primary is told what it has to make up for;
// unless later records show that the store had taken it once: then it isn't what it was, and the start fails.
//
// A volume that can't go on is no error: it is marked in stands(), left as it is, and the others go on.
//
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "volume/recovery/checkpoint_place.h"
#include "volume/recovery/recoverable_store.h"
#include "volume/recovery/replay_batch.h"
#include "volume/recovery/volume_stand.h"

namespace hawser {

struct RecoveryVolume {
  VolumeName name;
  RecoverableStore* store = nullptr;  // both outlive the recovery
  CheckpointPlace* checkpoint = nullptr;
  std::string path = {};  // of the store, for messages
};

enum class RecoverFor {
  // A primary serves at the journal's end: all of it is applied. A store ahead of it holds what the relay has
  // lost. A divergence isn't noted: the start fails with it, and the next one looks again.
  kServing,
  // A copy needs a whole state only; what is left of the journal is for its replay. It may be ahead of the
  // own journal, which can be deleted. A divergence is noted.
  kFollowing,
};

// What is known of the journal that the records come from. One that isn't there yet: all zero.
struct RecoveryJournal {
  std::string name;  // for messages: "the relay's journal"
  Progress oldest;   // before the first group that it has
  Progress end;
  bool is_relays = false;  // what callers were told is in it
};

class Recovery {
 public:
  // `crash_point` is passed before each record that is applied (common/base/crash_point.h).
  Recovery(std::vector<RecoveryVolume> volumes, RecoverFor purpose, std::string_view crash_point);

  // First. Errors: a checkpoint or a note can't be read.
  Status ReadStands();
  // Whether no store can hold anything that this journal hasn't. If it isn't there or ends before the
  // checkpoint of a store whose end was unclean, nobody knows what that store holds: only a journal that has
  // all of it leads to a whole state. Without one the volume can't go on, and is not whole.
  bool IsProvenBy(const RecoveryJournal& journal) const;
  // How many volumes, of those that can go on, stand before a journal which begins after `oldest`.
  std::size_t StandingBefore(const Progress& oldest) const;
  // Then; the errors of this and of what follows are those of places and stores. The recovery has failed
  // then, and the next start redoes.
  Status Begin(RecoveryJournal journal);

  // Groups after `after`, none behind `last`. If they are the same, only whether the journal holds that
  // position.
  struct Want {
    Progress after;
    Group last;
  };
  // nullopt: it has ended.
  std::optional<Want> wanted() const;
  // The next groups in order; none if none are wanted.
  Status Take(std::span<const ReplayGroup> groups);
  // They aren't to be had. ENODATA: the journal no longer has them; ESTALE: it doesn't hold `after`. The
  // volumes that stand there can't go on. Anything else, or in the middle, is returned.
  Status Refused(const Error& error);

  const std::vector<VolumeName>& names() const { return names_; }
  const std::vector<VolumeStand>& stands() const { return stands_; }
  // Where the hindmost of the volumes that go on stands; nullopt: none does.
  std::optional<Progress> hindmost() const;
  // Where replay goes on.
  Progress next() const;
  // What a primary's store has refused, and no remedy in the journal makes up for: the primary has to journal
  // one before it serves. For kServing, of the only volume.
  const Differences& refused() const { return stands_.front().differences; }
  // The volume whose store doesn't take a record now, but may later: the recovery has failed with that, and
  // another one may get further.
  const RecoveryVolume* waits_for() const { return waits_for_ ? &volumes_[*waits_for_] : nullptr; }
  bool redoes() const;                                // whether any volume's end was unclean
  std::uint64_t records() const { return records_; }  // applied so far that change a store
  std::string ProgressText() const;                   // for a person

 private:
  enum class Pass {
    kProbing,  // there is nothing to apply: only whether the journal holds where the volumes stand
    kLookingAhead,
    kApplying,
    kDone,
  };

  void CheckStand(std::size_t volume);
  bool IsProvenBy(const RecoveryJournal& journal, std::size_t volume) const;
  Status Plan();
  Position Target() const;
  Status StartApplying();
  Status FinishPass();
  Status FinishRedo();
  Status MarkUnclean();
  Status TakeGroup(const ReplayGroup& group);
  Status TakeRecord(const ReplayGroup& group, const ReplayRecord& record);
  // Of volumes that stand at this group already: it must be the same group.
  void CheckPassed(const Position& group);
  Status Change(const ReplayGroup& group, const ReplayRecord& record);
  Status Try(const ReplayRecord& record, bool differs);
  Consequence Weigh(const ReplayRecord& record, const Error& error, bool again);
  const Difference* HadTaken(const ReplayRecord& record) const;
  void RepeatRefused();
  void ForgetWhatIsGone();
  // What became of a change of the store: a divergence stops the volume only.
  Status Settle(std::size_t volume, const Position& group, Status done);
  void Stop(std::size_t volume, Condition condition, std::string problem);
  bool Lacks(std::size_t volume, const ReplayGroup& group) const;
  bool any_active() const { return hindmost().has_value(); }

  const std::vector<RecoveryVolume> volumes_;
  const RecoverFor purpose_;
  const std::string_view crash_point_;
  RecoveryJournal journal_;
  // By volume.
  std::vector<VolumeName> names_;
  std::vector<VolumeStand> stands_;
  std::vector<char> redo_;
  std::vector<char> differed_;                          // a copy has differed at some place on the way
  std::vector<std::optional<Checkpoint>> checkpoints_;  // as they are in their places
  // What the journal must hold: a volume's checkpoint, or if that is lost, the one that its store tells of.
  std::vector<Position> held_;

  Pass pass_ = Pass::kDone;
  Progress begin_;  // where each pass begins
  Progress at_;
  Position target_;
  std::set<Sequence> remedied_;  // records whose remedy has been seen to its end, ahead or already
  std::optional<std::size_t> waits_for_;
  bool taken_ = false;  // something of what was planned: the journal holds begin_
  std::uint64_t records_ = 0;
};

}  // namespace hawser
