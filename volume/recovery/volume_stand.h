// How far a volume's store is, and whether it can go on.
#pragma once

#include <string>

#include "common/base/ids.h"
#include "common/record/position.h"
#include "volume/recovery/differences.h"

namespace hawser {

enum class Condition {
  kFine,
  kStalled,    // something is in the way that may pass; retried
  kFailed,     // the store's disk failed a flush; until the next start
  kNeedsSync,  // what comes next is no longer to be had
  kDiverged,   // the copy isn't what the journal says
};

struct VolumeStand {
  VolumeName name;
  Progress applied;
  Progress checkpoint;
  Condition condition = Condition::kFine;
  // Whether the store is known to be the state after `applied`, but for `differences`. After an unclean end
  // it isn't before all was redone that it may hold.
  bool whole = true;
  std::string problem;      // empty when fine
  Differences differences;  // with everything up to `applied` in the store

  // Whether records are applied to it any more.
  bool active() const { return condition == Condition::kFine || condition == Condition::kStalled; }
};

}  // namespace hawser
