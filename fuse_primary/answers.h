// What the relay's reply to a batch says of each of its records. The shipper and the simulation read it here.
#pragma once

#include <optional>
#include <vector>

#include "common/base/result.h"
#include "common/net/messages.h"
#include "common/net/requester.h"

namespace hawser {

// `records` were in the batch: a refusal of the whole counts for each. EINVAL, EPROTO: it is no such reply.
Result<std::vector<Answer>> AnswersIn(const Incoming& reply, std::size_t records);

// The newest group that they acknowledge, if any: all up to there is durable.
std::optional<Progress> NewestIn(const std::vector<Answer>& answers);

}  // namespace hawser
