// What the state folders on this machine tell of their nodes: for the day no relay answers. Reads files only,
// so it doesn't matter whether the nodes run; positions of a running node may be some seconds old.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/json.h"
#include "common/config/config.h"
#include "common/net/replica_state.h"
#include "fuse_secondary/heard_head.h"
#include "volume/store/checkpoint.h"

namespace hawser::cli {

struct LocalVolume {
  std::string name;
  ReplicaRole role = ReplicaRole::kSecondary;  // as the node last heard
  std::optional<Checkpoint> checkpoint;
  std::string problem;  // empty, or one sentence
};

struct LocalNode {
  std::string name;
  std::string folder;
  bool running = false;
  std::optional<Account> account;  // set if the node keeps a journal of its own, as secondaries do
  std::vector<LocalVolume> volumes;
  std::string problem;
};

// Whether a process on this machine serves the node.
bool IsServed(const NodeConfig& node);

// The nodes of the config whose state folder is here. Never fails: what can't be read is that node's problem.
std::vector<LocalNode> ReadLocalNodes(const Config& config);

// As the relay's status (DESIGN section 10), with what is only known here: `running`, `read_from`,
// `head_heard`, `heard`, `missing`.
Json LocalStatusJson(const Config& config, const std::vector<LocalNode>& nodes,
                     const std::string& relay_problem);
std::string LocalStatusTable(const std::vector<LocalNode>& nodes, bool with_colour);

}  // namespace hawser::cli
