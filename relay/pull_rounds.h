// Whose pull is served next: nodes take turns, so that one that pulls much, or over many connections, keeps
// no other waiting for more than one batch. Pure; one thread (control.h).
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "relay/disk.h"

namespace hawser {

class PullRounds {
 public:
  // False: as many pulls of this node wait as may (kPullsANode).
  bool Add(PullJob pull);

  // The oldest pull of the node whose turn it is; nullopt: none waits.
  std::optional<PullJob> Next();

 private:
  std::map<NodeName, std::deque<PullJob>> waiting_;  // none is empty
  NodeName served_;                                  // last
};

}  // namespace hawser
