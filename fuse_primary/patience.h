// For how long a call waits: for its turn, for room in the outbox, for the relay.
#pragma once

#include <atomic>
#include <optional>

#include "common/base/clock.h"
#include "common/base/result.h"

namespace hawser {

struct Patience {
  std::optional<Deadline> deadline;           // nullopt: for ever
  const std::atomic<bool>* cancel = nullptr;  // set when the caller is being killed, or the role ends

  // ECANCELED, ETIMEDOUT: why it need not go on waiting; nullopt while it must.
  std::optional<Error> Over() const {
    if (cancel != nullptr && cancel->load()) return Error{ECANCELED, "interrupted"};
    if (deadline && SteadyClock::now() >= *deadline) return Error{ETIMEDOUT, "out of time"};
    return std::nullopt;
  }

  // When to look again. Nothing wakes a waiting thread when its caller is killed.
  Deadline NextLook() const {
    const Deadline next = SteadyClock::now() + std::chrono::milliseconds(50);
    return deadline ? std::min(next, *deadline) : next;
  }
};

}  // namespace hawser
