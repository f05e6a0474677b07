// A scrub (scrub.h) in a thread of its own, at a pace that leaves the disk to others.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/periodic_thread.h"
#include "common/journal/scrub.h"

namespace hawser {

struct ScrubPace {
  // 16 MiB a second: a tenth of what a plain disk reads, and a terabyte in 18 hours.
  std::uint64_t step_bytes = 4 * kMiB;
  std::chrono::milliseconds interval{250};
  // From the end of a round to the beginning of the next; shorter while something is damaged, so that what
  // was mended is soon known.
  std::chrono::seconds rest = std::chrono::hours(6);
  std::chrono::seconds rest_damaged = std::chrono::minutes(1);
};

class Scrubber {
 public:
  struct Parts {
    std::string folder;
    std::string name;                                               // of the journal, for the log
    std::function<Group()> durable;                                 // any thread
    std::function<void(const std::vector<JournalFault>&)> changed;  // the faults, whenever they are others
  };

  // `found`: what opening the journal has told. `changed` is first called before this returns, then in the
  // thread.
  Scrubber(Parts parts, ScrubPace pace, const std::vector<JournalFault>& found);

  // Nothing is called any more when this returns.
  void Stop() { thread_->Stop(); }

 private:
  void Step();
  void TellNews();

  const Parts parts_;
  const ScrubPace pace_;
  JournalScrub scrub_;
  Deadline resting_until_;
  bool has_failed_ = false;
  std::unique_ptr<PeriodicThread> thread_;  // last: it uses the others
};

}  // namespace hawser
