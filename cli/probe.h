// What `hawser check` looks at on this machine. Each probe only looks: it leaves nothing behind and needs
// nothing running. What a start says too is in foresight.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/config/folders.h"

namespace hawser::cli {

enum class Level { kFine, kWarning, kProblem };

struct Finding {
  std::string subject;  // "alpha docs store"
  std::string place;    // "/srv/docs.store"
  Level level = Level::kFine;
  std::string detail;       // what was found
  std::string advice;       // what to do; empty if fine
  bool is_missing = false;  // a folder that 'hawser init' makes
};

using Findings = std::vector<Finding>;

inline Finding Fine(std::string subject, std::string place, std::string detail) {
  return {std::move(subject), std::move(place), Level::kFine, std::move(detail), "", false};
}
// It works, and yet not as a person may think.
inline Finding Warning(std::string subject, std::string place, std::string detail, std::string advice) {
  return {std::move(subject), std::move(place), Level::kWarning, std::move(detail), std::move(advice), false};
}
// It won't work.
inline Finding Problem(std::string subject, std::string place, std::string detail, std::string advice) {
  return {std::move(subject), std::move(place), Level::kProblem, std::move(detail), std::move(advice), false};
}

// /dev/fuse, fusermount3, and what mounting for other users takes (probe_fuse.cc).
Findings ProbeFuse(const Config& config);

// Stores, mounts, state and journal folders (probe_folders.cc).
Finding ProbeStore(const Config& config, const NodeName& node, const VolumeName& volume);
// `running`: a process serves the node.
Finding ProbeMount(const std::string& subject, const ReplicaConfig& replica, bool running);
// `path`, or the nearest folder above it that exists.
std::string NearestFolder(const std::string& path);
Finding ProbeOwnFolder(const std::string& subject, const std::string& path);
// That folders which look apart in the config are not the same or nested by way of links.
Findings ProbeApart(const Config& config, Machines machines);
// That the config names the primaries that the nodes on this machine have heard of.
Findings ProbePrimaries(const Config& config);

// The relay's ports: free, or in use by whom (probe_ports.cc).
Findings ProbePorts(const Config& config);
// Whether somebody could listen there now.
bool CanListen(const std::string& address, std::uint16_t port);
// Whether the relay's address is one of this machine.
bool RelayIsHere(const RelayConfig& relay);

}  // namespace hawser::cli
