#include "volume/mount/waiting_room.h"

#include <algorithm>
#include <vector>

namespace hawser {

void WaitingRoom::AllowThreads(std::size_t most) {
  const MutexLock lock(mutex_);
  most_threads_ = std::max<std::size_t>(most, 1);
}

void WaitingRoom::Run(std::unique_ptr<Guest> call) {
  {
    const MutexLock lock(mutex_);
    if (running_ >= most_threads_ && bytes_ + call->bytes <= most_bytes_) {
      bytes_ += call->bytes;
      waiting_.push_back(std::move(call));
      return;
    }
    ++running_;
  }
  for (; call != nullptr; call = Next()) call->Run();
}

// Null: nobody waits, and the thread is free again.
std::unique_ptr<WaitingRoom::Guest> WaitingRoom::Next() {
  const MutexLock lock(mutex_);
  if (waiting_.empty()) {
    --running_;
    return nullptr;
  }
  std::unique_ptr<Guest> next = std::move(waiting_.front());
  waiting_.pop_front();
  bytes_ -= next->bytes;
  return next;
}

void WaitingRoom::RunKilled() {
  std::vector<std::unique_ptr<Guest>> killed;
  {
    const MutexLock lock(mutex_);
    for (std::unique_ptr<Guest>& call : waiting_) {
      if (!call->killed()) continue;
      bytes_ -= call->bytes;
      killed.push_back(std::move(call));
    }
    std::erase(waiting_, nullptr);
  }
  for (const auto& call : killed) call->Run();
}

}  // namespace hawser
