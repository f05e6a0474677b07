// Sizes and durations as people write them: a whole number and a unit.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "common/base/result.h"

namespace hawser {

// "10GiB": units B, KiB, MiB, GiB, TiB. EINVAL, saying what to write instead, for anything else.
Result<std::uint64_t> ParseSize(std::string_view text);

// "250ms": units ms, s, m, h, d. Never negative. EINVAL as above.
Result<std::chrono::milliseconds> ParseDuration(std::string_view text);

}  // namespace hawser
