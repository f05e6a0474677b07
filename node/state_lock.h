// The lock of a node's state folder: at any time one process serves the node from it.
//
// A process can hang after its kill: it was just telling the kernel of a change (session.h), and for that the
// kernel waits until a call about the same directory is answered, by the process that is being killed. What
// waits in its mounts waits with it. Taking the lock ends the connections of such mounts, which lets both go.
#pragma once

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "common/config/config.h"

namespace hawser {

// Makes the state folder if there is none. The lock is held as long as the descriptor is open. EBUSY: another
// process has it, and is not being killed; or doesn't end, though its mounts have.
Result<UniqueFd> LockState(const Config& config, const NodeName& node);

}  // namespace hawser
