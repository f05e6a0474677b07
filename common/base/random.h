// Numbers that nobody else has, from the system's randomness.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hawser {

void FillRandom(std::span<std::byte> bytes);

// Not 0.
std::uint64_t RandomNumber();

}  // namespace hawser
