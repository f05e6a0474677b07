#include "volume/recovery/run_recovery.h"

#include "common/base/clock.h"
#include "common/base/log.h"

namespace hawser {

namespace {

constexpr std::chrono::seconds kSayEvery{5};

}  // namespace

Status RunRecovery(Recovery& recovery, RecordSource& source, const std::atomic<bool>* cancel) {
  auto say_after = SteadyClock::now() + kSayEvery;
  while (const auto want = recovery.wanted()) {
    if (cancel != nullptr && *cancel) return Error{ECANCELED, "the start was given up"};
    const Result<ReplayBatch> batch = source.Next(*want);
    HAWSER_TRY(batch ? recovery.Take(batch->groups) : recovery.Refused(batch.error()));
    if (SteadyClock::now() < say_after) continue;
    say_after = SteadyClock::now() + kSayEvery;
    log::info("{}", recovery.ProgressText());
  }
  return {};
}

}  // namespace hawser
