// Bringing a primary's store to what the journal says before it serves: the records after its checkpoint are
// fetched from the relay and applied. After an unclean end they may be in the store already, in part: then
// they are redone (DESIGN section 4, "redo").
#pragma once

#include <atomic>
#include <cstdint>

#include "common/base/result.h"
#include "common/net/context.h"
#include "common/net/messages.h"
#include "volume/mount/volume.h"

namespace hawser {

struct PrimaryRecovery {
  Progress from;
  Progress to;
  std::uint64_t records = 0;  // of this volume, applied or redone
};

// Applies the volume's records after `from` up to the relay's head `to`. `redo`: the last end was unclean.
// ENODATA: the relay no longer has the journal from there; ESTALE: its journal isn't the one the store comes
// from; ECANCELED.
Result<PrimaryRecovery> RecoverPrimary(NetContext& context, const std::string& control_endpoint,
                                       const NodeName& node, Volume& volume, const Progress& from,
                                       const Progress& to, bool redo, const std::atomic<bool>* cancel);

}  // namespace hawser
