// What those outside have to do with a node's start: who asked for its end is heard wherever it waits, and
// what it is doing is there for status, and for the log when it takes long.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mutex.h"
#include "common/base/result.h"

namespace hawser {

// Thread safe.
class StartWatch {
 public:
  // `cancel` outlives it; null: nobody will ask for the end.
  explicit StartWatch(const std::atomic<bool>* cancel) : cancel_(cancel != nullptr ? cancel : &never_) {}

  const std::atomic<bool>* cancel() const { return cancel_; }
  // ECANCELED once somebody has asked for the end.
  Status GoOn() const;

  // From here on it does this: "journaling the root of docs".
  void Does(std::string what);
  std::string what() const;
  // When that takes long, and then at growing intervals: what it is. One thread.
  std::optional<log::Line> News(Deadline now);

 private:
  const std::atomic<bool> never_ = false;
  const std::atomic<bool>* const cancel_;
  mutable Mutex mutex_;
  std::string what_ HAWSER_GUARDED_BY(mutex_);
  Deadline since_ HAWSER_GUARDED_BY(mutex_);
  Deadline say_at_ HAWSER_GUARDED_BY(mutex_) = Deadline::max();
};

}  // namespace hawser
