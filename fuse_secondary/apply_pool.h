// A few threads that help to apply the records of a write group. Used by one thread.
#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "common/base/mutex.h"

namespace hawser {

class ApplyPool {
 public:
  // `threads` counts the caller of Run, so 1 starts none.
  explicit ApplyPool(std::size_t threads);
  ~ApplyPool();
  ApplyPool(const ApplyPool&) = delete;
  ApplyPool& operator=(const ApplyPool&) = delete;

  // Calls job(0) to job(count - 1), each once, in the pool's threads and the caller's. Returns when all have
  // returned: what they did happens before whatever follows.
  void Run(std::size_t count, const std::function<void(std::size_t)>& job);

 private:
  void Work();
  // Lets go of the mutex during each job.
  void TakeJobs() HAWSER_REQUIRES(mutex_);

  Mutex mutex_;
  CondVar begun_;
  CondVar finished_;
  const std::function<void(std::size_t)>* job_ HAWSER_GUARDED_BY(mutex_) = nullptr;
  std::size_t count_ HAWSER_GUARDED_BY(mutex_) = 0;
  std::size_t next_ HAWSER_GUARDED_BY(mutex_) = 0;
  std::size_t open_ HAWSER_GUARDED_BY(mutex_) = 0;  // jobs that have not returned yet
  bool stop_ HAWSER_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace hawser
