#include "cli/status_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/output.h"

namespace hawser::cli {
namespace {

using Seconds = std::chrono::duration<double>;

// What isn't well with a copy; empty: nothing.
std::string TroubleOf(const ReplicaView& replica, Seconds max_lag) {
  const std::string why = replica.problem.empty() ? "" : ": " + replica.problem;
  if (replica.state > ReplicaState::kCatchingUp) return std::string(TextOf(replica.state)) + why;
  if (!replica.lag_seconds) return "nobody knows how far behind" + why;
  if (*replica.lag_seconds > max_lag.count())
    return fmt::format("{} behind (more than {}){}", HumanSeconds(*replica.lag_seconds),
                       HumanSeconds(max_lag.count()), why);
  return replica.problem;
}

std::vector<std::string> TroublesOf(const StatusView& status, Seconds max_lag) {
  std::vector<std::string> troubles;
  if (status.relay_state != TextOf(RelayState::kLive))
    troubles.push_back("relay " + status.relay_state +
                       (status.relay_problem.empty() ? "" : ": " + status.relay_problem));
  for (const std::string& volume : status.without_primary)
    troubles.push_back("volume " + volume + " has no primary");
  for (const NodeView& node : status.nodes) {
    for (const ReplicaView& volume : node.volumes) {
      const std::string trouble = TroubleOf(volume, max_lag);
      if (!trouble.empty()) troubles.push_back(node.name + " " + volume.name + " " + trouble);
    }
  }
  return troubles;
}

std::string WellLine(const StatusView& status) {
  std::size_t primaries = 0, copies = 0;
  double most = 0;
  for (const NodeView& node : status.nodes) {
    for (const ReplicaView& volume : node.volumes) {
      (volume.role == ReplicaRole::kPrimary ? primaries : copies)++;
      most = std::max(most, volume.lag_seconds.value_or(0));
    }
  }
  const auto counted = [](std::size_t count, const char* one, const char* many) {
    return fmt::format("{} {}", count, count == 1 ? one : many);
  };
  return fmt::format("OK: group {}, {} and {} on {}, at most {} behind", status.group,
                     counted(primaries, "primary", "primaries"), counted(copies, "copy", "copies"),
                     counted(status.nodes.size(), "node", "nodes"), HumanSeconds(most));
}

}  // namespace

Verdict CheckStatus(const StatusView& status, std::chrono::milliseconds max_lag) {
  const auto troubles = TroublesOf(status, Seconds(max_lag));
  if (troubles.empty()) return {true, WellLine(status)};
  return {false, Printable(fmt::format("NOT OK: group {}: {}", status.group, fmt::join(troubles, "; ")))};
}

}  // namespace hawser::cli
