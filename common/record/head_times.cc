#include "common/record/head_times.h"

namespace hawser {

namespace {

constexpr std::chrono::milliseconds kGrain{50};
constexpr std::size_t kKept = 512;  // enough for years with the fineness below
constexpr int kFineness = 16;       // a lag is told to a sixteenth

}  // namespace

void HeadTimes::Found(Group head, SteadyClock::time_point at) {
  if (!seen_.empty() && head <= seen_.back().group) return;
  if (!seen_.empty() && at - seen_.back().time < kGrain) {
    seen_.back().group = head;
    return;
  }
  seen_.push_back({head, at});
  if (seen_.size() > kKept) ThinOut(at);
}

void HeadTimes::ThinOut(SteadyClock::time_point now) {
  std::deque<Seen> thinned;
  for (const Seen& seen : seen_) {
    const bool near_last =
        !thinned.empty() && seen.time - thinned.back().time < (now - seen.time) / kFineness;
    near_last ? void(thinned.back().group = seen.group) : thinned.push_back(seen);
  }
  seen_ = std::move(thinned);
}

void HeadTimes::Forget(Group through) {
  while (!seen_.empty() && seen_.front().group <= through) seen_.pop_front();
}

std::optional<SteadyClock::time_point> HeadTimes::Since(Group applied) const {
  for (const Seen& seen : seen_) {
    if (seen.group > applied) return seen.time;
  }
  return std::nullopt;
}

}  // namespace hawser
