// What the relay's threads let each other know without waiting for each other.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/net/messages.h"

namespace hawser {

class NoticeBoard {
 public:
  // From the writer.
  struct Notes {
    std::vector<VolumeFact> volumes;
    std::vector<Progress> milestones;
    std::string journal_failure;  // empty as long as the journal works
  };

  void Post(Notes notes) {
    const MutexLock lock(mutex_);
    notes_ = std::move(notes);
  }
  Notes Read() const {
    const MutexLock lock(mutex_);
    return notes_;
  }

  // From control: requests are let lie until the journal's filesystem has room again.
  std::atomic<bool> hold_writers = false;
  // Messages that could not be taken, on all ports.
  std::atomic<std::uint64_t> refused = 0;

 private:
  mutable Mutex mutex_;
  Notes notes_ HAWSER_GUARDED_BY(mutex_);
};

}  // namespace hawser
