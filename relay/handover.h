// One node takes volumes over from others: what the promotions have decided and the writer is to journal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "relay/queue.h"

namespace hawser {

// All of its volumes at one place in the order, or none.
struct Handover {
  struct Volume {
    VolumeName volume;
    Generation from;  // that it is in: with another one the decision is out of date
    bool planned = false;
  };
  std::uint64_t attempt = 0;
  NodeName to;
  std::vector<Volume> volumes;
};

// That it is in the journal shows there (NoticeBoard::Notes::made). That it isn't:
struct HandoverFailure {
  std::uint64_t attempt = 0;
  std::string problem;
  bool in_doubt = false;  // the journal has failed: it may be in it or not
};

using HandoverQueue = Queue<Handover>;
using HandoverFailures = Queue<HandoverFailure>;

}  // namespace hawser
