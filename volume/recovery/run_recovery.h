// Feeds a recovery from a source that can be waited for, and tells a person how it gets on.
#pragma once

#include <atomic>

#include "volume/recovery/recovery.h"

namespace hawser {

// Where the records come from.
class RecordSource {
 public:
  virtual ~RecordSource() = default;

  // Groups that come right after `want.after` in order, at least one and none after `want.last`, a bounded
  // number; of their records those of the recovery's volumes. None only if nothing is wanted after
  // `want.after`: then whether the source holds that position is all that is asked. ENODATA: what comes after
  // it is no longer there; ESTALE: the source doesn't hold that position.
  virtual Result<ReplayBatch> Next(const Recovery::Want& want) = 0;
};

// From Begin() to the end. `cancel` (may be null) is looked at between two batches: ECANCELED. Other errors
// are the source's or the stores'.
Status RunRecovery(Recovery& recovery, RecordSource& source, const std::atomic<bool>* cancel);

}  // namespace hawser
