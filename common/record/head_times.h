// When the journal's head came to which group: tells since when a replica lacks something. That grows while
// writers pause, and is nothing while nothing is lacking, however old the last write is.
//
// Pure and bounded: a long lag needs no fine answer, so older times are thinned out, to the side of a longer
// lag. Not thread safe.
#pragma once

#include <deque>
#include <optional>

#include "common/base/clock.h"
#include "common/base/ids.h"

namespace hawser {

class HeadTimes {
 public:
  // The head was found at `head`. What isn't newer than the last one is ignored.
  void Found(Group head, SteadyClock::time_point at);

  // Nobody lacks what comes up to `through`.
  void Forget(Group through);

  // Since when there is something after `applied`; nullopt: nothing is known to be.
  std::optional<SteadyClock::time_point> Since(Group applied) const;

 private:
  // From `time` on, groups up to `group` came.
  struct Seen {
    Group group;
    SteadyClock::time_point time;
  };
  void ThinOut(SteadyClock::time_point now);

  std::deque<Seen> seen_;  // ascending
};

}  // namespace hawser
