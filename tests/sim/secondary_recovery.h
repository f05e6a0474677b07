// What a replica does before its volumes are shown. Mirrors fuse_secondary/recovery.cc on modelled stores.
#pragma once

#include <vector>

#include "fuse_secondary/own_journal.h"
#include "fuse_secondary/replica_board.h"
#include "tests/sim/checker.h"
#include "tests/sim/machine.h"

namespace hawser::sim {

struct RecoveredSecondary {
  Progress begin;  // replay goes on after this
  std::vector<VolumeStand> volumes;
};

// Errors: the process ended meanwhile, or a disk is in the way.
Result<RecoveredSecondary> RecoverSecondary(World& world, Checker& checker, const NodeName& node,
                                            OwnJournal& journal, Machine& machine,
                                            const std::vector<VolumeName>& names);

}  // namespace hawser::sim
