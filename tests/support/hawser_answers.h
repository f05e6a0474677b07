// What the hawser program's answers and logs say, for tests that run it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "common/base/result.h"
#include "tests/support/process.h"

namespace hawser::test {

// Of `hawser status --json`. EIO, with what it said, if that is no status.
Result<nlohmann::json> StatusIn(const CommandResult& result);

// Of `hawser wait`. ETIMEDOUT, with what it said, unless everything was reached.
Status ReachedIn(const CommandResult& result);

// The last lines of a log; empty if there is none.
std::string TailOf(const std::string& log, std::size_t lines);

}  // namespace hawser::test
