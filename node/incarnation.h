// Tells two state folders of one node apart: a random number, made with the folder (DESIGN section 5b).
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace hawser {

// From the file `path`; the first time it is made.
Result<std::uint64_t> OwnIncarnation(const std::string& path);

}  // namespace hawser
