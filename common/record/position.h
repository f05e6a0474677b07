// Where something stands in a journal's order.
#pragma once

#include <array>
#include <compare>
#include <string>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/record/digest.h"

namespace hawser {

// Random, given when a journal begins. All zero: no journal yet.
struct JournalId {
  std::array<std::byte, 16> bytes{};

  static JournalId Random();
  std::string Hex() const;
  friend auto operator<=>(const JournalId&, const JournalId&) = default;
};

// The state after a whole write group. `digest` is that of the group's frame, which covers the chain of all
// frames before it: equal sequence with another digest is a divergence.
struct Position {
  JournalId journal;
  Sequence sequence;  // last record of the group
  Group group;
  Digest digest;

  // "1234 (group 56)"
  std::string Text() const;
  friend bool operator==(const Position&, const Position&) = default;
};

// A position with what is needed to tell a lag in bytes and seconds.
struct Progress {
  Position position;
  std::uint64_t journal_bytes = 0;  // frame bytes from the journal's beginning to the end of this group
  Timestamp time;                   // when the relay cut the group

  friend bool operator==(const Progress&, const Progress&) = default;
};

}  // namespace hawser
