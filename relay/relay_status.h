// How the relay itself is doing, by what its threads have found. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/journal/fault.h"
#include "common/net/replica_state.h"

namespace hawser {

struct RelayEvidence {
  std::string journal_failure;       // empty as long as the journal works
  std::string missing;               // what it had acknowledged and its journal lacks; empty: nothing
  bool holds_writers = false;        // for the want of room
  std::vector<JournalFault> damage;  // of older segments
  std::uint64_t journal_bytes = 0;   // on disk
  std::uint64_t refused = 0;         // messages since the start that could not be taken
};

struct RelayStatus {
  RelayState state = RelayState::kUnknown;
  std::string problem;  // empty, or one sentence
  std::uint64_t journal_bytes = 0;
  std::uint64_t refused = 0;
  std::vector<JournalFault> damage{};
};

// The worst that was found is its state.
RelayStatus Judge(RelayEvidence found);

}  // namespace hawser
