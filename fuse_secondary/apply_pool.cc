#include "fuse_secondary/apply_pool.h"

namespace hawser {

ApplyPool::ApplyPool(std::size_t threads) {
  for (std::size_t i = 1; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

ApplyPool::~ApplyPool() {
  {
    const MutexLock lock(mutex_);
    stop_ = true;
    begun_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void ApplyPool::Run(std::size_t count, const std::function<void(std::size_t)>& job) {
  const MutexLock lock(mutex_);
  job_ = &job;
  count_ = count;
  next_ = 0;
  open_ = count;
  begun_.NotifyAll();
  TakeJobs();
  while (open_ > 0) finished_.Wait(mutex_);
}

void ApplyPool::Work() {
  const MutexLock lock(mutex_);
  while (true) {
    while (!stop_ && next_ == count_) begun_.Wait(mutex_);
    if (stop_) return;
    TakeJobs();
  }
}

void ApplyPool::TakeJobs() {
  while (next_ < count_) {
    const std::size_t index = next_++;
    const auto& job = *job_;
    mutex_.Unlock();
    job(index);
    mutex_.Lock();
    if (--open_ == 0) finished_.NotifyAll();
  }
}

}  // namespace hawser
