// Mount sessions: each start of a node gets a number larger than all before, so that the relay can tell a
// late message of a dead process.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace hawser {

// Takes the next number, kept in the file `path`.
Result<std::uint64_t> NextSessionNumber(const std::string& path);

}  // namespace hawser
