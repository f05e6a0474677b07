// Tells two state folders of one node apart, also a copy from what it is a copy of (DESIGN section 5b).
//
// A start of the same folder ends its predecessor's session at once: the folder was locked, so that one is
// gone. A lock is of one folder of one running machine. So the number is of that too: a folder that was
// copied, restored or moved, or of which the machine was started anew, counts as another one, and has to wait
// until its predecessor is silent.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace hawser {

// The random number in the file `path`, which is made the first time, and anew where the folder that it lies
// in isn't the one that it was made in.
Result<std::uint64_t> OwnIncarnation(const std::string& path);

}  // namespace hawser
