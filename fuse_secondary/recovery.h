// What a replica does before its volumes are shown: the recovery of every role (volume/recovery/recovery.h),
// from the own journal. No threads yet; needs no relay.
#pragma once

#include <atomic>
#include <vector>

#include "fuse_secondary/own_journal.h"
#include "volume/recovery/recovery.h"

namespace hawser {

struct Recovered {
  Progress begin;  // replay goes on after this
  std::vector<VolumeStand> volumes;
};

// Opens the own journal, unless there is none and it has to begin with the relay's. `batch_bytes`: what is
// read at a time. Errors: damage, I/O, ECANCELED (`cancel` may be null). A volume that can't go on (diverged,
// behind the own journal) is no error: it is marked in the answer.
Result<Recovered> Recover(OwnJournal& journal, std::vector<RecoveryVolume> volumes, std::uint64_t batch_bytes,
                          const std::atomic<bool>* cancel);

}  // namespace hawser
