// What the commands that run in the foreground until a signal share.
#pragma once

#include <functional>
#include <string>

#include "cli/session.h"
#include "cli/signals.h"

namespace hawser::cli {

// Starts the log under the name `who`. From here on a closed stderr or connection is an error of the call
// that finds it instead of the end of the process in the middle of its work (SIGPIPE is ignored).
void BecomeService(const std::string& who, const Session& session);

// Tells systemd (or `hawser up`), if $NOTIFY_SOCKET names one: READY=1, STOPPING=1, STATUS=...
void Notify(const std::string& state);

// The signals of a service: SIGTERM and SIGINT end it. SIGHUP will make it read its config anew; until then
// it is heard and nothing follows.
Result<Signals> ServiceSignals();
void SayHangup();
// The next signal that ends the service; nullopt when `time` has passed without one.
std::optional<int> WaitForEnd(Signals& signals, std::chrono::milliseconds time);

// Tells that the service is ready, waits for SIGTERM or SIGINT, and tells that it stops. `over` is asked ten
// times a second whether the service has ended by itself: then this returns too.
void ServeUntilSignal(Signals& signals, const std::string& what, const std::function<bool()>& over);

}  // namespace hawser::cli
