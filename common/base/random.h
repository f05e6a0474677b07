// Numbers that nobody else has.
#pragma once

#include <cstdint>

namespace hawser {

// From the system's randomness; not 0.
std::uint64_t RandomNumber();

}  // namespace hawser
