// `hawser status --check`: is all well? For monitoring: one line and yes or no.
#pragma once

#include <chrono>
#include <string>

#include "cli/status_view.h"

namespace hawser::cli {

struct Verdict {
  bool well = false;
  std::string line;
};

// All is well when the relay is live and every volume on every node is live, or catching up, without a
// problem and at most `max_lag` behind. What isn't known isn't well.
Verdict CheckStatus(const StatusView& status, std::chrono::milliseconds max_lag);

}  // namespace hawser::cli
