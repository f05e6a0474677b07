// A bounded queue from one thread to another. The sender never waits.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace hawser {

template <class Item>
class Queue {
 public:
  explicit Queue(std::size_t capacity) : capacity_(capacity) {}

  // False, and the item is dropped, if the queue is full or closed.
  bool Push(Item item) {
    {
      const MutexLock lock(mutex_);
      if (closed_ || items_.size() >= capacity_) return false;
      items_.push_back(std::move(item));
    }
    changed_.NotifyOne();
    return true;
  }

  // The next item, waiting until `deadline` for it; nullopt at the deadline and when the queue is closed.
  std::optional<Item> Pop(Deadline deadline) {
    const MutexLock lock(mutex_);
    while (!closed_ && items_.empty() && changed_.WaitUntil(mutex_, deadline)) {
    }
    if (closed_ || items_.empty()) return std::nullopt;
    std::optional<Item> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }

  // The next item, if there is one. Cheap when there is none.
  std::optional<Item> TryPop() {
    const MutexLock lock(mutex_);
    if (closed_ || items_.empty()) return std::nullopt;
    std::optional<Item> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }

  // What is still in it is dropped.
  void Close() {
    {
      const MutexLock lock(mutex_);
      closed_ = true;
    }
    changed_.NotifyAll();
  }

  bool closed() const {
    const MutexLock lock(mutex_);
    return closed_;
  }

 private:
  const std::size_t capacity_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Item> items_ HAWSER_GUARDED_BY(mutex_);
  bool closed_ HAWSER_GUARDED_BY(mutex_) = false;
};

}  // namespace hawser
