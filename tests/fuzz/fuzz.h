// What the fuzz targets share: bytes taken apart, and properties that stop the run when they don't hold.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "common/base/bytes.h"

namespace hawser::fuzz {

// A property of the code under test. libFuzzer keeps the input that broke it.
inline void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken property: %s\n", what);
  std::abort();
}

// The input as a sequence of choices and byte strings; zeros and nothing when it is used up.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : left_(reinterpret_cast<const std::byte*>(data), size) {}

  bool empty() const { return left_.empty(); }

  // Little endian, of `bytes` bytes.
  std::uint64_t Number(std::size_t bytes) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < bytes && !left_.empty(); ++i) {
      number |= std::to_integer<std::uint64_t>(left_.front()) << (8 * i);
      left_ = left_.subspan(1);
    }
    return number;
  }

  Bytes Take(std::size_t size) {
    const Bytes taken = left_.first(std::min(size, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  // A string with its length (2 bytes) before it.
  Bytes TakeSized() { return Take(Number(2)); }
  Bytes Rest() { return Take(left_.size()); }

 private:
  Bytes left_;
};

}  // namespace hawser::fuzz
