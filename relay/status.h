// The text that answers `hawser status --json`. DESIGN section 10.
#pragma once

#include <string>
#include <vector>

#include "relay/failover_watch.h"
#include "relay/relay_status.h"
#include "relay/tracker.h"

namespace hawser {

struct FailoverStatus {
  FailoverConfig rules;
  std::vector<LostPrimary> lost = {};
};

// Any bytes in names and problems give valid JSON.
std::string StatusJson(const std::string& group, const RelayStatus& relay, const JournalFacts& facts,
                       const std::vector<NodeStatus>& nodes, const FailoverStatus& failover = {});

}  // namespace hawser
