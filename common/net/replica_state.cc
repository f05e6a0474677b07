#include "common/net/replica_state.h"

#include <array>

namespace hawser {

namespace {

// In each list the first text is that of the value 1.
constexpr std::array<std::string_view, 3> kRoles = {"primary", "secondary", "mixed"};
constexpr std::array<std::string_view, 12> kStates = {"live",         "catching_up", "syncing",  "paused",
                                                      "differs",      "stalled",     "fenced",   "unmounted",
                                                      "disconnected", "needs_sync",  "diverged", "unknown"};
constexpr std::array<std::string_view, 7> kRelayStates = {
    "live", "holding_writers", "journal_failed", "journal_damaged", "went_back", "unreachable", "unknown"};
static_assert(kRoles.size() == static_cast<std::size_t>(ReplicaRole::kMixed));
static_assert(kStates.size() == static_cast<std::size_t>(ReplicaState::kUnknown));
static_assert(kRelayStates.size() == static_cast<std::size_t>(RelayState::kUnknown));

template <class Texts, class Enum>
std::string_view TextIn(const Texts& texts, Enum value) {
  return texts.at(static_cast<std::size_t>(value) - 1);
}

template <class Enum, class Texts>
std::optional<Enum> ParseIn(const Texts& texts, std::string_view text) {
  const auto found = std::find(texts.begin(), texts.end(), text);
  if (found == texts.end()) return std::nullopt;
  return static_cast<Enum>(found - texts.begin() + 1);
}

}  // namespace

std::string_view TextOf(ReplicaRole role) { return TextIn(kRoles, role); }
std::string_view TextOf(ReplicaState state) { return TextIn(kStates, state); }
std::string_view TextOf(RelayState state) { return TextIn(kRelayStates, state); }

std::span<const std::string_view> ReplicaStateTexts() { return kStates; }

std::optional<ReplicaRole> ParseReplicaRole(std::string_view text) {
  return ParseIn<ReplicaRole>(kRoles, text);
}

std::optional<ReplicaState> ParseReplicaState(std::string_view text) {
  return ParseIn<ReplicaState>(kStates, text);
}

}  // namespace hawser
