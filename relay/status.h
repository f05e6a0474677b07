// The text that answers `hawser status --json`. DESIGN section 10.
#pragma once

#include <string>
#include <vector>

#include "common/journal/fault.h"
#include "relay/tracker.h"

namespace hawser {

struct RelayStatus {
  RelayState state = RelayState::kUnknown;
  std::string problem;              // empty, or one sentence
  std::uint64_t journal_bytes = 0;  // on disk
  std::uint64_t refused = 0;        // messages since the start that could not be taken
  std::vector<JournalFault> damage{};
};

// Any bytes in names and problems give valid JSON.
std::string StatusJson(const std::string& group, const RelayStatus& relay, const JournalFacts& facts,
                       const std::vector<NodeStatus>& nodes);

}  // namespace hawser
