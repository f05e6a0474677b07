// How relay and nodes hear of each other while nothing else is to be said.
#pragma once

#include <chrono>

namespace hawser {

// A node reports so often, and is answered.
inline constexpr std::chrono::milliseconds kReportInterval{250};

// Who hasn't been heard of for so long is called disconnected, on both sides. A machine under load misses a
// report or two; what is missed after that is news.
inline constexpr std::chrono::milliseconds kSilentAfter = 6 * kReportInterval;

}  // namespace hawser
