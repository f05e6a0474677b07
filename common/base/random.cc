#include "common/base/random.h"

#include <random>

namespace hawser {

std::uint64_t RandomNumber() {
  std::random_device device;
  std::uniform_int_distribution<std::uint64_t> any(1);
  return any(device);
}

}  // namespace hawser
