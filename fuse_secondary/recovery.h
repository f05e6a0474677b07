// What a replica does before its volumes are shown: from the checkpoints and the own journal to a state after
// some whole group, the same for all volumes.
//
// After an unclean end a store may hold anything of what comes after its checkpoint, so everything up to the
// end of the own journal is redone. No threads yet; needs no relay.
#pragma once

#include <vector>

#include "fuse_secondary/own_journal.h"
#include "fuse_secondary/replica.h"
#include "fuse_secondary/replica_board.h"

namespace hawser {

struct Recovered {
  Progress begin;  // replay goes on after this
  std::vector<VolumeStand> volumes;
};

// Opens the own journal, unless there is none and it has to begin with the relay's. Errors: damage, I/O,
// ECANCELED. A volume that can't go on (diverged, behind the own journal) is no error: it is marked in the
// answer.
Result<Recovered> Recover(OwnJournal& journal, const std::vector<ReplicaVolume>& volumes,
                          const ReplicaOptions& options);

}  // namespace hawser
