// A few threads that help to apply the records of a write group. Used by one thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

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
  void TakeJobs(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable finished_;
  const std::function<void(std::size_t)>* job_ = nullptr;
  std::size_t count_ = 0;
  std::size_t next_ = 0;
  std::size_t open_ = 0;  // jobs that have not returned yet
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hawser
