// Time. Timestamps are what records carry and files get: nanoseconds since 1970 (UTC), negative before.
// Deadlines are steady.
#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>
#include <ctime>

namespace hawser {

struct Timestamp {
  std::int64_t nanoseconds = 0;

  // Years from 1678 to 2261; what lies outside becomes the nearest of them.
  static Timestamp From(const timespec& time) {
    constexpr std::int64_t kMost = 9'200'000'000;  // seconds
    const std::int64_t seconds = std::clamp<std::int64_t>(time.tv_sec, -kMost, kMost);
    return {seconds * 1'000'000'000 + time.tv_nsec};
  }
  timespec ToTimespec() const {
    std::int64_t seconds = nanoseconds / 1'000'000'000;
    std::int64_t rest = nanoseconds % 1'000'000'000;
    if (rest < 0) {
      rest += 1'000'000'000;
      --seconds;
    }
    return {static_cast<time_t>(seconds), static_cast<long>(rest)};
  }
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

// The wall clock.
inline Timestamp Now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return Timestamp::From(time);
}

using SteadyClock = std::chrono::steady_clock;
using Deadline = SteadyClock::time_point;

}  // namespace hawser
