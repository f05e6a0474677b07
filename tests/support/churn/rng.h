// A small deterministic generator (splitmix64): the same on every machine, cheap to seed for each operation.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace hawser::test {

class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}
  // A stream of its own for each (seed, thread, number).
  Rng(std::uint64_t seed, std::uint64_t thread, std::uint64_t number) : state_(seed) {
    state_ = Next() ^ thread * 0x9e3779b97f4a7c15u;
    state_ = Next() ^ number * 0xd1342543de82ef95u;
  }

  std::uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // 0 <= result < limit; limit > 0.
  std::uint64_t Below(std::uint64_t limit) { return Next() % limit; }
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }
  template <class T>
  T Pick(std::initializer_list<T> choices) {
    return choices.begin()[Below(choices.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace hawser::test
