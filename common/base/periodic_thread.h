// A thread that calls a function over and over, a while after each return, until it is stopped.
#pragma once

#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "common/base/mutex.h"

namespace hawser {

class PeriodicThread {
 public:
  // The first call comes after `interval`.
  PeriodicThread(std::chrono::milliseconds interval, std::function<void()> action)
      : interval_(interval), action_(std::move(action)), thread_(&PeriodicThread::Run, this) {}
  ~PeriodicThread() { Stop(); }
  PeriodicThread(const PeriodicThread&) = delete;
  PeriodicThread& operator=(const PeriodicThread&) = delete;

  // Returns when a call under way has; there is none afterwards. By one thread, which isn't this one.
  void Stop() {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.NotifyAll();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void Run() {
    while (AwaitNext()) action_();
  }
  bool AwaitNext() {
    const MutexLock lock(mutex_);
    const Deadline next = SteadyClock::now() + interval_;
    while (!stopping_ && changed_.WaitUntil(mutex_, next)) {
    }
    return !stopping_;
  }

  const std::chrono::milliseconds interval_;
  const std::function<void()> action_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ HAWSER_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace hawser
