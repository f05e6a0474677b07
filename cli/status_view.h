// The relay's status as the commands use it: values out of its JSON (DESIGN section 10), with what is missing
// said to be unknown instead of fine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/json.h"
#include "common/config/config.h"
#include "common/net/replica_state.h"

namespace hawser::cli {

// Of a copy of a volume, and of a node as a whole.
struct ReplicaView {
  std::string name;  // the volume's; the node's
  std::optional<ReplicaRole> role;
  ReplicaState state = ReplicaState::kUnknown;
  std::optional<std::uint64_t> applied;
  std::optional<std::uint64_t> lag_records;
  std::optional<std::uint64_t> lag_bytes;
  std::optional<double> lag_seconds;
  std::string problem;
  // Calls since the start that failed and may have taken place later: told to people, and no trouble of now.
  std::uint64_t unanswered = 0;
};

struct NodeView : ReplicaView {
  std::optional<std::uint64_t> received;
  std::vector<ReplicaView> volumes;  // those that the relay names and those of the config, by name
};

struct StatusView {
  std::string group;
  std::string relay_state;  // the relay's own word
  std::string relay_problem;
  std::optional<std::uint64_t> head;
  std::optional<std::uint64_t> journal_bytes;
  std::vector<NodeView> nodes;               // those of the relay and those of the config, by name
  std::vector<std::string> notes;            // sentences about volumes
  std::vector<std::string> without_primary;  // volumes whose primary the config doesn't name

  const NodeView* Find(const std::string& name) const;
};

// Never fails: whatever isn't there or of another type is unknown. Nodes and volumes of the config that the
// relay doesn't name are listed as unknown.
StatusView ReadStatus(const Json& status, const Config& config);

// The nodes that hold a copy of a volume whose primary, by `status` (else by the config), is another node.
std::vector<std::string> Secondaries(const Json& status, const Config& config);

}  // namespace hawser::cli
