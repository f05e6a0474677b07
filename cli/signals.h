// SIGTERM, SIGINT and, if wanted, others as something to wait for instead of something that interrupts.
#pragma once

#include <sys/signalfd.h>

#include <chrono>
#include <csignal>
#include <initializer_list>
#include <optional>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace hawser::cli {

class Signals {
 public:
  // Blocks the signals in this thread and all that it starts: call before any other thread runs. They stay
  // blocked. `also`: more of them.
  static Result<Signals> Block(std::initializer_list<int> also = {});

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
