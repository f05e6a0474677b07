// Damage in a journal: the place, and what can't be had from it any more.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/ids.h"

namespace hawser {

// A place in a segment that is not as it must be.
struct JournalFault {
  std::string segment;  // file name in the folder; of one that is missing the name that it would have
  std::uint64_t offset = 0;
  std::string what;
  // The groups that can't be read because of it. `first` 0: none; `last` 0: it isn't known where the next
  // whole ones begin.
  Group first, last;

  friend bool operator==(const JournalFault&, const JournalFault&) = default;
};

// Where, what, and what follows from it; without the folder.
std::string TextOf(const JournalFault& fault);

}  // namespace hawser
