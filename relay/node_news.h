// What is new of the nodes, for the log: each change of a state once, whoever asks for the status or doesn't.
// Pure. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/log.h"
#include "relay/retention.h"
#include "relay/tracker.h"

namespace hawser {

class NodeNews {
 public:
  // How all stand now, and what is new of that: "node charlie, mail: stalled: the disk is full". Before the
  // first call nothing is known of anybody. A copy that catches up is as good as a live one: that changes all
  // the time.
  std::vector<log::Line> Note(const std::vector<NodeStatus>& nodes);

 private:
  std::map<ReplicaName, ReplicaState> last_;
};

}  // namespace hawser
