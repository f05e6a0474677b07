// A node: one process that hosts volumes, each in the role that the relay's journal gives it. The composition
// root of `hawser mount`.
//
// Threads besides those of the mounts and the replica: the reporter (a session with the relay, four
// times a second), those that change roles and keep the checkpoints of primaries (roles.h), and the shipper's
// (which finish the records of callers that left).
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/config/config.h"

namespace hawser {

struct StartOptions {
  bool take_over = false;  // ends the process of another state folder that serves this node
  // Volumes whose store is meant to be new: it has to be empty, and the checkpoint is forgotten.
  std::set<VolumeName> new_stores;
};

class Node {
 public:
  // Opens the stores, asks the relay who is primary of what, recovers, and mounts. When this returns the
  // mounts answer. While a volume of which this node is primary waits for the relay, so does this; *cancel
  // ends that with ECANCELED.
  static Result<std::unique_ptr<Node>> Start(const Config& config, const NodeName& name,
                                             const StartOptions& options = {},
                                             const std::atomic<bool>* cancel = nullptr);
  virtual ~Node() = default;  // as Stop()

  // No new calls; calls in flight end; checkpoints are written; everything is unmounted. Idempotent.
  virtual Status Stop() = 0;

  // Whether all mounts have been ended by somebody else: there is nothing left to do.
  virtual bool ended() const = 0;

  virtual std::vector<std::string> mounts() const = 0;
};

}  // namespace hawser
