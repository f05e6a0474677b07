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
  std::signal(SIGPIPE, SIG_IGN);
  log::Start(who, session.log_level);
}

void Notify(const std::string& state) { sd_notify(/*unset_environment=*/0, state.c_str()); }

void ServeUntilSignal(Signals& signals, const std::string& what, const std::function<bool()>& over) {
  Notify("READY=1\nSTATUS=" + what);
  log::info("ready: {}", what);
  std::optional<int> signal;
  while (!signal && !over()) signal = signals.WaitFor(kHealthInterval);
  if (signal) log::info("stopping on SIG{}", ::sigabbrev_np(*signal));
  Notify("STOPPING=1");
}

}  // namespace hawser::cli
