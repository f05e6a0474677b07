// Makes what was applied durable: flushes the stores now and then, and writes down how far each volume is on
// disk.
//
// A volume's applied position always is a group boundary; whatever it says when the flush begins is on disk
// when the flush has returned. So this runs beside replay and holds no gate. Afterwards the own journal's
// oldest segments go, as far as no volume needs them.
#pragma once

#include <thread>

#include "common/config/config.h"
#include "fuse_secondary/own_journal.h"
#include "fuse_secondary/replica.h"
#include "fuse_secondary/replica_board.h"

namespace hawser {

class Checkpointer {
 public:
  // Starts its thread at once; everything given outlives it.
  Checkpointer(std::vector<ReplicaVolume> volumes, OwnJournal& journal, ReplicaBoard& board,
               ReplicaOptions options);
  ~Checkpointer() { Stop(); }

  // Ends the thread. Nothing is written any more but by Finish().
  void Stop();

  // After replay has ended: the last checkpoints, marked clean where nothing lies beyond them. The first
  // error.
  Status Finish();

 private:
  void Run();
  void CheckpointAll();
  Status Checkpoint(std::size_t index, const VolumeStand& stand, bool clean);
  void DropOldSegments();

  const std::vector<ReplicaVolume> volumes_;
  OwnJournal& journal_;
  ReplicaBoard& board_;
  const ReplicaOptions options_;
  std::thread thread_;
};

}  // namespace hawser
