// The one source of chance in a simulation: the same seed gives the same run on every machine (the
// distributions of <random> may differ from one library to the next).
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace hawser::sim {

class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}

  // splitmix64
  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // 0 to n - 1; n > 0.
  std::uint64_t Below(std::uint64_t n) { return Next() % n; }
  // low to high, both included.
  std::int64_t Between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(Below(static_cast<std::uint64_t>(high - low) + 1));
  }
  bool Chance(double p) { return static_cast<double>(Next() >> 11) * 0x1.0p-53 < p; }
  bool Coin() { return (Next() & 1) != 0; }
  template <class Items>
  auto& Pick(Items& items) {
    return items[static_cast<std::size_t>(Below(std::size(items)))];
  }

 private:
  std::uint64_t state_;
};

}  // namespace hawser::sim
