// SIGTERM, SIGINT and, if wanted, another one as something to wait for instead of something that interrupts.
#pragma once

#include <sys/signalfd.h>

#include <chrono>
#include <csignal>
#include <optional>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace hawser::cli {

class Signals {
 public:
  // Blocks the signals in this thread and all that it starts: call before any other thread runs. They stay
  // blocked. `also`: one more; 0: none.
  static Result<Signals> Block(int also = 0);

  // The next signal's number; nullopt when `time` has passed without one.
  std::optional<int> WaitFor(std::chrono::milliseconds time);
  // The next signal's number.
  int Wait();

  // Readable when a signal is there.
  int fd() const { return fd_.get(); }
  std::optional<int> Take();

 private:
  explicit Signals(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

// The signals that Block() blocks are unblocked: for a child, between fork and exec. Safe there.
void UnblockAllSignals();

}  // namespace hawser::cli
