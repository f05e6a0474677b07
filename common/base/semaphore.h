// A semaphore that somebody waits for until a deadline: POSIX's. (std::counting_semaphore yields the
// processor a few times before it sleeps, which takes it away from those who are waited for.)
#pragma once

#include <semaphore.h>

#include <atomic>
#include <cerrno>
#include <ctime>

#include "common/base/clock.h"

namespace hawser {

class Semaphore {
 public:
  Semaphore() { ::sem_init(&semaphore_, 0, 0); }
  ~Semaphore() { ::sem_destroy(&semaphore_); }
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  void Release() {
    released_.fetch_add(1, std::memory_order_release);
    ::sem_post(&semaphore_);
  }

  // False at the deadline.
  [[nodiscard]] bool AcquireUntil(Deadline deadline) {
    const auto since_boot = deadline.time_since_epoch();  // SteadyClock is CLOCK_MONOTONIC
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
    const timespec time{seconds.count(),
                        std::chrono::duration_cast<std::chrono::nanoseconds>(since_boot - seconds).count()};
    int result = 0;
    while ((result = ::sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &time)) != 0 && errno == EINTR) {
    }
    return result == 0 && released_.load(std::memory_order_acquire) > 0;
  }

 private:
  sem_t semaphore_;
  // What was done before Release() is seen after AcquireUntil() by the semaphore alone. ThreadSanitizer,
  // which doesn't know sem_clockwait, sees it by this.
  std::atomic<int> released_{0};
};

}  // namespace hawser
