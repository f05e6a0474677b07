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

// Says hello at the relay's write port: nothing of older sessions of this node is accepted from then on.
// ETIMEDOUT, ECANCELED; the relay's refusal, as an errno.
Result<Welcome> SayHello(NetContext& context, const std::string& endpoint, const Hello& hello,
                         std::optional<Deadline> deadline, const std::atomic<bool>* cancel);

}  // namespace hawser
