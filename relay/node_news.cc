#include "relay/node_news.h"

#include <fmt/format.h>

#include <algorithm>

namespace hawser {

namespace {

ReplicaState Coarse(ReplicaState state) {
  return state == ReplicaState::kCatchingUp ? ReplicaState::kLive : state;
}

std::string Text(const NodeStatus& node, const std::vector<std::string>& volumes, const ReplicaStatus& what) {
  const bool all = volumes.size() == node.volumes.size();
  return fmt::format("node {}{}{}: {}{}{}", node.node.value, all ? "" : ", ",
                     all ? "" : fmt::format("{}", fmt::join(volumes, ", ")), TextOf(what.state),
                     what.problem.empty() ? "" : ": ", what.problem);
}

}  // namespace

std::vector<log::Line> NodeNews::Note(const std::vector<NodeStatus>& nodes) {
  std::vector<log::Line> lines;
  for (const NodeStatus& node : nodes) {
    // Volumes of which the same is to be said share a line.
    std::map<std::pair<ReplicaState, std::string>, std::vector<const ReplicaStatus*>> changed;
    for (const ReplicaStatus& replica : node.volumes) {
      const ReplicaState state = Coarse(replica.state);
      ReplicaState& last =
          last_.try_emplace({node.node, replica.volume}, ReplicaState::kUnknown).first->second;
      if (std::exchange(last, state) != state) changed[{state, replica.problem}].push_back(&replica);
    }
    for (const auto& [what, replicas] : changed) {
      std::vector<std::string> names;
      for (const ReplicaStatus* replica : replicas) names.push_back(replica->volume.value);
      lines.push_back({what.first != ReplicaState::kLive, Text(node, names, *replicas.front())});
    }
  }
  return lines;
}

}  // namespace hawser
