// What is new of the nodes, for the log: each change of a state once, whoever asks for the status or doesn't.
// Pure. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "relay/retention.h"
#include "relay/tracker.h"

namespace hawser {

class NodeNews {
 public:
  struct Item {
    bool bad = false;
    std::string text;  // "node charlie, mail: stalled: the disk is full"
  };

  // How all stand now. Before the first call nothing is known of anybody. A copy that catches up is as good
  // as a live one: that changes all the time.
  std::vector<Item> Note(const std::vector<NodeStatus>& nodes);

 private:
  std::map<ReplicaName, ReplicaState> last_;
};

}  // namespace hawser
