// What a primary's funnel meets and can't settle by itself: it may end the node's right to change the volume.
// What follows from it is decided for the whole volume (node/role_machine.h).
#pragma once

#include <functional>

#include "common/base/result.h"

namespace hawser {

struct Setback {
  enum class Kind {
    kFenced,    // the relay takes no changes of the volume from this node any more
    kDiverged,  // what the journal says isn't what is in the store, or it is another journal
  };
  Kind kind;
  Error error;  // what callers get from then on
};

// Called in the thread that met it, without a lock; also several times.
using OnSetback = std::function<void(const Setback&)>;

}  // namespace hawser
