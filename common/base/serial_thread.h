// A thread that does what it is given, one thing after the other.
//
// Thread safe; nothing is done under its lock.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <utility>

#include "common/base/mutex.h"

namespace hawser {

class SerialThread {
 public:
  SerialThread() : thread_(&SerialThread::Run, this) {}
  ~SerialThread() { Stop(); }
  SerialThread(const SerialThread&) = delete;
  SerialThread& operator=(const SerialThread&) = delete;

  // Dropped, undone, once it stops.
  void Do(std::function<void()> task) {
    {
      const MutexLock lock(mutex_);
      if (stopping_) return;
      tasks_.push_back(std::move(task));
    }
    changed_.NotifyAll();
  }

  // Returns when what is under way has ended; what comes after it is dropped. Not by this thread. Again, it
  // returns at once.
  void Stop() {
    std::deque<std::function<void()>> dropped;  // outside the lock
    {
      const MutexLock lock(mutex_);
      if (std::exchange(stopping_, true)) return;
      dropped.swap(tasks_);
    }
    changed_.NotifyAll();
    thread_.join();
  }

 private:
  void Run() {
    while (const auto task = Next()) task();
  }
  // Null: it stops.
  std::function<void()> Next() {
    const MutexLock lock(mutex_);
    while (tasks_.empty() && !stopping_) changed_.Wait(mutex_);
    if (tasks_.empty()) return nullptr;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> tasks_ HAWSER_GUARDED_BY(mutex_);
  bool stopping_ HAWSER_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace hawser
