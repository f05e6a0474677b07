// The process's log, to stderr, by spdlog: log::info("journal {}: tail cut", path).
#pragma once

#include <spdlog/spdlog.h>

namespace hawser::log {

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

// Sends the log to stderr with a time stamp and `who` ("relay", "alpha") in each line. Call once, from main.
// `level` is one of trace, debug, info, warn, error.
void Start(const std::string& who, const std::string& level);

}  // namespace hawser::log
