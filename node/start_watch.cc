#include "node/start_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hawser {

namespace {

constexpr auto kLong = std::chrono::seconds(2);
constexpr int kSaidGrowth = 3;
constexpr auto kMostUnsaid = std::chrono::minutes(10);

}  // namespace

Status StartWatch::GoOn() const {
  return *cancel_ ? Status(Error{ECANCELED, "the start was given up"}) : Status();
}

void StartWatch::Does(std::string what) {
  const MutexLock lock(mutex_);
  what_ = std::move(what);
  since_ = SteadyClock::now();
  say_at_ = since_ + kLong;
}

std::string StartWatch::what() const {
  const MutexLock lock(mutex_);
  return what_;
}

std::optional<log::Line> StartWatch::News(Deadline now) {
  const MutexLock lock(mutex_);
  if (now < say_at_) return std::nullopt;
  const SteadyClock::duration lasts = now - since_;
  say_at_ = now + std::min<SteadyClock::duration>(lasts * kSaidGrowth, kMostUnsaid);
  return log::Line{true, fmt::format("still starting: {}, for {:.1f} s by now", what_,
                                     std::chrono::duration<double>(lasts).count())};
}

}  // namespace hawser
