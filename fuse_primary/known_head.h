// The newest position of the relay's journal that this node was told is durable: by a welcome, an answer, a
// report, the stream. The node says it whenever it says hello, reports or sends a batch: a relay whose
// journal doesn't hold it has lost what it acknowledged (DESIGN section 5b).
//
// It is kept in a file of the state folder, written at each step but not flushed: it survives the process,
// and after a power cut it is some position that was true, or none.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "common/base/mutex.h"
#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "common/record/position.h"

namespace hawser {

class KnownHead {
 public:
  KnownHead() = default;  // kept nowhere
  // From the file `path`, which is made if missing. What can't be understood in it counts as nothing.
  Status Open(const std::string& path);

  // Thread safe. A position of another journal than the known one, or an older one, changes nothing: that it
  // doesn't fit is for who is shown the known one to say.
  void Hear(const Progress& head);
  Progress Get() const;

  // Which run of the relay was heard of last; not kept. What is said with it was said after that.
  void HearRun(std::uint64_t run) { run_ = run; }
  std::uint64_t run() const { return run_; }

 private:
  std::atomic<std::uint64_t> run_{0};
  mutable Mutex mutex_;
  Progress known_ HAWSER_GUARDED_BY(mutex_);
  UniqueFd file_ HAWSER_GUARDED_BY(mutex_);
  std::string path_ HAWSER_GUARDED_BY(mutex_);
  bool complained_ HAWSER_GUARDED_BY(mutex_) = false;
};

}  // namespace hawser
