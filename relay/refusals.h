// Refusals that more than one of the relay's parts give, in the same words.
#pragma once

#include <cstdint>

#include "common/base/ids.h"
#include "common/net/messages.h"

namespace hawser {

// A newer session of the node has begun.
Refusal OldSession(const NodeName& node, std::uint64_t session, std::uint64_t newest);
// The journal says nothing of this session.
Refusal UnknownSession(const NodeName& node, std::uint64_t session);

}  // namespace hawser
