// What `hawser check` looks at on this machine. Each probe only looks: it leaves nothing behind and needs
// nothing running.
#pragma once

#include <string>
#include <vector>

#include "common/config/config.h"

namespace hawser::cli {

struct Finding {
  std::string subject;  // "alpha docs store"
  std::string place;    // "/srv/docs.store"
  bool ok = true;
  std::string detail;  // what was found
  std::string advice;  // what to do; empty if ok
};

using Findings = std::vector<Finding>;

inline Finding Fine(std::string subject, std::string place, std::string detail) {
  return {std::move(subject), std::move(place), true, std::move(detail), ""};
}
inline Finding Problem(std::string subject, std::string place, std::string detail, std::string advice) {
  return {std::move(subject), std::move(place), false, std::move(detail), std::move(advice)};
}

// /dev/fuse, fusermount3, and what mounting for other users takes (probe_fuse.cc).
Findings ProbeFuse(const Config& config);

// Stores, mounts, state and journal folders (probe_folders.cc).
Finding ProbeStore(const std::string& subject, const NodeConfig& node, const VolumeName& volume);
Finding ProbeMount(const std::string& subject, const ReplicaConfig& replica);
Finding ProbeOwnFolder(const std::string& subject, const std::string& path);
// That folders which look apart in the config are not the same or nested by way of links.
Findings ProbeLinks(const Config& config);

// The relay's ports: free, or in use by whom (probe_ports.cc).
Findings ProbePorts(const Config& config);
// Whether the relay's address is one of this machine.
bool RelayIsHere(const RelayConfig& relay);

}  // namespace hawser::cli
