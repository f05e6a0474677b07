// How a node's mount session begins at the relay.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/net/context.h"
#include "common/net/messages.h"

namespace hawser {

// Says hello at the relay's write port, and gets a session: nothing of older ones of this node is accepted
// from then on. Errors: ETIMEDOUT, ECANCELED; the relay's refusal, as an errno: EBUSY if another process
// serves the node, ENODATA if the relay has lost what the node was told is durable.
Result<Welcome> SayHello(NetContext& context, const std::string& endpoint, const Hello& hello,
                         std::optional<Deadline> deadline, const std::atomic<bool>* cancel);

}  // namespace hawser
