// Where changes wait that would take a thread from those who don't wait.
//
// A change waits for others and for the relay, in the thread that has read its request. Only so many threads
// do that; with those taken a change is kept here, without a thread, and whoever has ended one goes on with
// the next, in the order in which they came. None waits here for longer than those before it: they came
// earlier, and each ends in its time. One whose caller is being killed ends at once.
//
// Bounded by memory: with no room left a change takes a thread all the same.
//
// Thread safe; a leaf: calls are run under no lock.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>

#include "common/base/bytes.h"
#include "common/base/mutex.h"

namespace hawser {

class WaitingRoom {
 public:
  class Guest {
   public:
    // `size`: the bytes of memory that it takes as long as it isn't answered.
    explicit Guest(std::size_t size) : bytes(size) {}
    virtual ~Guest() = default;
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;

    // To its end: answers it.
    virtual void Run() = 0;
    // Its caller is being killed: Run() will not wait.
    virtual bool killed() const = 0;

    const std::size_t bytes;
  };

  explicit WaitingRoom(std::size_t most_bytes = kMostBytes) : most_bytes_(most_bytes) {}

  // How many threads may run calls at a time; at least one may. Until it is said, any.
  void AllowThreads(std::size_t most);

  // Runs the call in this thread, and then those that wait here; or, with no thread left for it, has it wait
  // here, for one that runs another.
  void Run(std::unique_ptr<Guest> call);

  // Runs those that wait here in vain.
  void RunKilled();

 private:
  static constexpr std::size_t kMostBytes = 256 * kMiB;

  std::unique_ptr<Guest> Next();

  const std::size_t most_bytes_;
  Mutex mutex_;
  std::size_t most_threads_ HAWSER_GUARDED_BY(mutex_) = SIZE_MAX;
  std::size_t running_ HAWSER_GUARDED_BY(mutex_) = 0;  // threads
  std::deque<std::unique_ptr<Guest>> waiting_ HAWSER_GUARDED_BY(mutex_);
  std::size_t bytes_ HAWSER_GUARDED_BY(mutex_) = 0;  // of those
};

}  // namespace hawser
