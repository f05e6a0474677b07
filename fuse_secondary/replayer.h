// Applies the own journal to the stores, one write group after the other, in one thread (with a pool for the
// records inside a group).
//
// Everything is read from the own journal, up to what is durable there: one path whatever the backlog, with
// bounded memory. Groups go in batches; for a batch the gates of all the replica's volumes are held, in a
// fixed order, so that no reader sees a volume between two groups, nor one volume at another group than the
// next. Nothing is flushed, sent or read from the journal under the gates; but where a store refuses a
// record, whether a remedy follows is looked up.
//
// What becomes of a record that a store refuses is decided in replay_state.h.
#pragma once

#include <deque>
#include <memory>
#include <thread>

#include "fuse_secondary/group_applier.h"
#include "fuse_secondary/own_journal.h"
#include "fuse_secondary/remedy_search.h"
#include "fuse_secondary/replay_state.h"
#include "fuse_secondary/replica.h"
#include "fuse_secondary/replica_board.h"

namespace hawser {

class Replayer {
 public:
  // Begins after `begin`; a volume whose applied position is ahead of that is left alone up to there.
  // `volumes` in the board's order. Starts its thread at once; everything given outlives it.
  Replayer(OwnJournal& journal, const Progress& begin, std::vector<ReplicaVolume> volumes,
           ReplicaBoard& board, ReplicaOptions options);
  ~Replayer() { Stop(); }

  // Ends at a group boundary, unless replay is stalled.
  void Stop();

 private:
  void Run();
  // Reads and applies what is there up to `last`; an error if the own journal can't be read.
  Status Replay(Group last);
  // false: replay has to stop.
  bool ApplyBatch(const ReplayBatch& batch);
  bool AwaitCheckpoint() { return board_.WaitUntilCheckpointed(state_.at().position.group); }
  // Applies groups from `next` on under the gates until the slice is over or a group fails; what failed.
  std::vector<GroupFailure> ApplySlice(const ReplayBatch& batch, std::size_t& next);
  std::vector<GroupFailure> ApplyGroup(const ReplayGroup& group);
  bool MayApplyMore(std::size_t applied, std::uint64_t bytes, Deadline deadline) const;
  Status ApplyRecord(const ReplayRecord& record, bool again);
  bool IsRemedied(Sequence refused);
  void TellWhatChanged();
  // What the state is to know of the volumes.
  std::vector<ReplayedVolume> Replayed();

  OwnJournal& journal_;
  const std::vector<ReplicaVolume> volumes_;
  std::deque<CheckpointFile> places_;
  std::vector<std::unique_ptr<RecoverableStore>> stores_;
  ReplicaBoard& board_;
  const ReplicaOptions options_;
  GroupApplier applier_;
  ReplayState state_;
  RemedySearch remedies_;
  std::unique_ptr<JournalReader> reader_;
  std::thread thread_;
};

}  // namespace hawser
