// Makes what was applied durable: flushes the stores now and then, and writes down how far each volume is on
// disk (volume/recovery/checkpoint_keeper.h).
//
// A volume's applied position always is a group boundary; whatever it says when the flush begins is on disk
// when the flush has returned. So this runs beside replay and holds no gate. Afterwards the own journal's
// oldest segments go, as far as no volume needs them.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "common/config/config.h"
#include "fuse_secondary/own_journal.h"
#include "fuse_secondary/replica.h"
#include "fuse_secondary/replica_board.h"
#include "volume/recovery/checkpoint_keeper.h"

namespace hawser {

// Before the checkpoint where the volume stands: from there on nobody meets again what was refused before it.
// `last`: the checkpoint that there is.
Status KeepDifferences(CheckpointPlace& place, const Progress& last, const VolumeStand& stand);

class Checkpointer {
 public:
  // Starts its thread at once; everything given outlives it.
  Checkpointer(const std::vector<ReplicaVolume>& volumes, OwnJournal& journal, ReplicaBoard& board,
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
  Status Checkpoint(std::size_t index, const VolumeStand& stand, Beyond beyond);
  Status KeepDifferences(std::size_t index, const VolumeStand& stand);
  void DropOldSegments();

  struct Kept {
    Kept(const ReplicaVolume& the_volume, const VolumeStand& stand)
        : volume(the_volume.volume),
          place(the_volume.checkpoint_path),
          keeper(place, stand.checkpoint),
          differs(!stand.differences.empty()) {}

    Volume* volume;
    CheckpointFile place;
    CheckpointKeeper keeper;
    bool differs;  // as last written
  };

  std::vector<std::unique_ptr<Kept>> volumes_;
  OwnJournal& journal_;
  ReplicaBoard& board_;
  const ReplicaOptions options_;
  std::thread thread_;
};

}  // namespace hawser
