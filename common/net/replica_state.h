// How a replica of a volume is doing and what it is there: what nodes report, `hawser status` shows and
// `hawser wait` goes by (DESIGN section 10). On the wire these are numbers, in JSON their texts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace hawser {

enum class ReplicaRole : std::uint8_t {
  kPrimary = 1,
  kSecondary = 2,
  kMixed = 3,  // only a node as a whole: primary of some of its volumes, secondary of others
};

// From well to bad: of two states the larger one is the worse.
enum class ReplicaState : std::uint8_t {
  kLive = 1,
  kCatchingUp,
  kSyncing,
  kPaused,
  kDiffers,  // a path isn't what the journal says; all else goes on
  kStalled,  // something is in the way that may pass: a full disk, an I/O error
  kFenced,   // was primary; another node has been promoted
  kUnmounted,
  kDisconnected,  // not heard of for a while
  kNeedsSync,     // what it needs next is no longer in the relay's journal
  kDiverged,      // holds what the journal doesn't say
  kUnknown,       // nothing is known of it
};

// The relay's own state. Not on the wire: it stands in the status only.
enum class RelayState : std::uint8_t {
  kLive = 1,
  kHoldingWriters,  // no room for more
  kJournalFailed,
  kJournalDamaged,  // older segments of it aren't whole; writers go on
  kWentBack,        // its journal lacks what it had acknowledged
  kUnreachable,     // as seen by who asked
  kUnknown,
};

std::string_view TextOf(ReplicaRole role);
std::string_view TextOf(ReplicaState state);
std::string_view TextOf(RelayState state);

// The texts of all states, from well to bad.
std::span<const std::string_view> ReplicaStateTexts();

// nullopt: no such word.
std::optional<ReplicaRole> ParseReplicaRole(std::string_view text);
std::optional<ReplicaState> ParseReplicaState(std::string_view text);

constexpr ReplicaState Worse(ReplicaState a, ReplicaState b) { return std::max(a, b); }

// Of a node with volumes in both roles.
constexpr ReplicaRole Together(ReplicaRole a, ReplicaRole b) { return a == b ? a : ReplicaRole::kMixed; }

// Whether it won't get there by itself, however long one waits.
constexpr bool NeedsHelp(ReplicaState state) {
  return state == ReplicaState::kNeedsSync || state == ReplicaState::kDiverged;
}

}  // namespace hawser
