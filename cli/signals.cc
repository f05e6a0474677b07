#include "cli/signals.h"

#include <poll.h>

#include <algorithm>

#include "common/base/clock.h"

namespace hawser::cli {

Result<Signals> Signals::Block(std::initializer_list<int> also) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  for (const int signal : also) sigaddset(&set, signal);
  if (const int failure = pthread_sigmask(SIG_BLOCK, &set, nullptr); failure != 0) {
    return Error{failure, "cannot block signals"};
  }
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return ErrnoError("cannot open a signalfd");
  return Signals(std::move(fd));
}

std::optional<int> Signals::Take() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

std::optional<int> Signals::WaitFor(std::chrono::milliseconds time) {
  const Deadline deadline = SteadyClock::now() + time;
  for (;;) {
    if (const auto signal = Take()) return signal;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    if (left <= 0) return std::nullopt;
    pollfd waiting{fd_.get(), POLLIN, 0};
    ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 3'600'000)));
  }
}

int Signals::Wait() {
  for (;;) {
    if (const auto signal = WaitFor(std::chrono::hours(1))) return *signal;
  }
}

void UnblockAllSignals() {
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace hawser::cli
