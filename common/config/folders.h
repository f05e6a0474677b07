// Every folder that a config names, and the rule that each lies apart from all others: a store in a mount
// would replicate itself, a journal in a store would be replicated with every write, and two owners of one
// folder would destroy each other's files. Only a mount may lie where another node has a folder: the same
// path on every machine is what programs expect.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/config/config.h"

namespace hawser {

struct Folder {
  std::string path;               // absolute and normalised
  std::vector<std::string> keys;  // where in the config: nodes, alpha, state
  std::string node;               // whose; empty: the relay's, which may be on any machine
  bool is_mount = false;

  std::string Key() const;  // "nodes.alpha.state"
};

std::vector<Folder> FoldersOf(const Config& config);

struct Overlap {
  Folder folder;
  Folder other;  // comes before `folder` in the list
  std::string
      problem;  // "'/srv/docs/x' lies inside nodes.alpha.volumes.docs.store ('/srv/docs'); give each ..."
};

// Whether the nodes of a config run on one machine, where their mounts have to lie apart too.
enum class Machines { kMany, kOne };

// The first two that are the same or nested and may not be, by their paths alone: links are not followed.
std::optional<Overlap> FindOverlap(const std::vector<Folder>& folders, Machines machines = Machines::kMany);

}  // namespace hawser
