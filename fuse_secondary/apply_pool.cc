#include "fuse_secondary/apply_pool.h"

namespace hawser {

ApplyPool::ApplyPool(std::size_t threads) {
  for (std::size_t i = 1; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

ApplyPool::~ApplyPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    begun_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

void ApplyPool::Run(std::size_t count, const std::function<void(std::size_t)>& job) {
  std::unique_lock lock(mutex_);
  job_ = &job;
  count_ = count;
  next_ = 0;
  open_ = count;
  begun_.notify_all();
  TakeJobs(lock);
  finished_.wait(lock, [this] { return open_ == 0; });
}

void ApplyPool::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    begun_.wait(lock, [this] { return stop_ || next_ < count_; });
    if (stop_) return;
    TakeJobs(lock);
  }
}

void ApplyPool::TakeJobs(std::unique_lock<std::mutex>& lock) {
  while (next_ < count_) {
    const std::size_t index = next_++;
    const auto& job = *job_;
    lock.unlock();
    job(index);
    lock.lock();
    if (--open_ == 0) finished_.notify_all();
  }
}

}  // namespace hawser
