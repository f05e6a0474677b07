// The process's log, to stderr, by spdlog: log::info("journal {}: tail cut", path).
#pragma once

#include <spdlog/spdlog.h>

#include <string>

namespace hawser::log {

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

// Sends the log to stderr with a time stamp and `who` ("relay", "alpha") in each line, also in each line of a
// text that has several. Call once, from main. `level` is one of trace, debug, info, warn, error.
void Start(const std::string& who, const std::string& level);

// Logs a line that another process has printed as if `who` had logged it; as an error if it is `bad`.
void Relay(const std::string& who, const std::string& line, bool bad);

// A line that a pure part wants said: what it decides doesn't log by itself.
struct Line {
  bool bad = false;
  std::string text;
};
void Say(const Line& line);

}  // namespace hawser::log
