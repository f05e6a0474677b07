#include "common/base/random.h"

#include <sys/random.h>

#include <cstdlib>

namespace hawser {

void FillRandom(std::span<std::byte> bytes) {
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
}

std::uint64_t RandomNumber() {
  std::uint64_t number = 0;
  while (number == 0) FillRandom(std::as_writable_bytes(std::span(&number, 1)));
  return number;
}

}  // namespace hawser
