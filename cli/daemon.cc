#include "cli/daemon.h"

#include <systemd/sd-daemon.h>

#include <csignal>
#include <cstring>
#include <optional>

#include "common/base/log.h"

namespace hawser::cli {
namespace {

constexpr auto kHealthInterval = std::chrono::milliseconds(100);

}  // namespace

void BecomeService(const std::string& who, const Session& session) {
  // A write that these are raised for fails then, and is dealt with where it was called.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  log::Start(who, session.log_level);
}

void Notify(const std::string& state) { sd_notify(/*unset_environment=*/0, state.c_str()); }

Result<Signals> ServiceSignals() { return Signals::Block({SIGHUP}); }

void SayHangup() {
  log::warn("SIGHUP: the config can't be read anew while this runs; restart it after a change");
}

std::optional<int> WaitForEnd(Signals& signals, std::chrono::milliseconds time) {
  const auto signal = signals.WaitFor(time);
  if (signal != SIGHUP) return signal;
  SayHangup();
  return std::nullopt;
}

void ServeUntilSignal(Signals& signals, const std::string& what, const std::function<bool()>& over) {
  Notify("READY=1\nSTATUS=" + what);
  log::info("ready: {}", what);
  std::optional<int> signal;
  while (!signal && !over()) signal = WaitForEnd(signals, kHealthInterval);
  if (signal) log::info("stopping on SIG{}", ::sigabbrev_np(*signal));
  Notify("STOPPING=1");
}

}  // namespace hawser::cli
