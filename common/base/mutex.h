// Mutexes whose rules the compiler checks: what may be read or changed under which mutex is written at the
// member (HAWSER_GUARDED_BY) or function (HAWSER_REQUIRES), and clang refuses code that breaks it
// (docs/LOCKS.md; the test lint.tidy). g++ sees std::mutex and std::condition_variable and nothing
// else.
//
// https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#pragma once

#include <condition_variable>
#include <mutex>

#include "common/base/clock.h"

#ifdef __clang__
#define HAWSER_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define HAWSER_THREAD_ATTRIBUTE(x)
#endif

// A member that is used only while `mutex` is held.
#define HAWSER_GUARDED_BY(mutex) HAWSER_THREAD_ATTRIBUTE(guarded_by(mutex))
// A function or lambda that is called only while the mutex is held.
#define HAWSER_REQUIRES(...) HAWSER_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))

namespace hawser {

class HAWSER_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void Lock() HAWSER_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void Unlock() HAWSER_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Holds a mutex for a scope.
class HAWSER_THREAD_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) HAWSER_THREAD_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() HAWSER_THREAD_ATTRIBUTE(release_capability()) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waiting lets go of the mutex and has it again on return. It may return without a reason: wait in a loop
// over the condition, where the compiler sees that the mutex is held.
class CondVar {
 public:
  void Wait(Mutex& mutex) HAWSER_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False once `deadline` has passed.
  [[nodiscard]] bool WaitUntil(Mutex& mutex, Deadline deadline) HAWSER_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    const bool in_time = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }

  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace hawser
