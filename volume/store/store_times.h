// How a store's filesystem keeps times. ext4 with small inodes keeps whole seconds, and of those only 1901 to
// 2038; other filesystems have other ranges. So what one store has kept of a time is compared with what the
// journal says as this store would keep it: else a copy on another filesystem would be called diverged.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/clock.h"
#include "common/base/result.h"

namespace hawser {

struct StoreTimes {
  std::int64_t granularity = 1;       // nanoseconds, up to a second
  std::optional<Timestamp> earliest;  // whole seconds; nullopt: all that a Timestamp can say
  std::optional<Timestamp> latest;

  // What is kept of a time.
  Timestamp Kept(Timestamp time) const;
  friend bool operator==(const StoreTimes&, const StoreTimes&) = default;
};

// Tried on an unnamed file in the folder `root`. An error if it takes none now (no room, no descriptors), or
// has no such files.
Result<StoreTimes> ProbeTimes(int root);

}  // namespace hawser
