// How far a volume's store is known to be on disk: written only after the store was flushed past that
// position.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/record/position.h"

namespace hawser {

struct Checkpoint {
  Progress progress;       // every record up to here is in the store and survives a power cut
  bool clean = false;      // nothing after it is: the process ended in order
  std::uint64_t mark = 0;  // on the store that it is of, not 0 (store_mark.h)
  // What comes after it the store had from callers or from the relay: the own journal needn't have it.
  bool beyond_own = false;
};

// Reads and replaces `path` (a small JSON file). nullopt if there is none; EBADMSG if it can't be understood.
Result<std::optional<Checkpoint>> ReadCheckpoint(const std::string& path);
Status WriteCheckpoint(const std::string& path, const Checkpoint& checkpoint);

}  // namespace hawser
