// What the commands that run in the foreground until a signal share.
#pragma once

#include <functional>
#include <string>

#include "cli/command.h"
#include "cli/signals.h"

namespace hawser::cli {

// Tells systemd (or `hawser up`), if $NOTIFY_SOCKET names one: READY=1, STOPPING=1, STATUS=...
void Notify(const std::string& state);

// Tells that the service is ready, waits for SIGTERM or SIGINT, and tells that it stops. `over` is asked ten
// times a second whether the service has ended by itself: then this returns too.
void ServeUntilSignal(Signals& signals, const std::string& what, const std::function<bool()>& over);

}  // namespace hawser::cli
