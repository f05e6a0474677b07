// One seed: a relay, nodes and their volumes, callers, and all kinds of trouble for a number of steps; then
// everything is mended and has to come to rest with nothing lost.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/world.h"

namespace hawser::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  std::uint64_t steps = 4000;  // of trouble, before everything is mended
  Mutations mutations;
  std::string folder;                               // for journals; its contents are removed
  std::function<void(const std::string&)> trace{};  // each line of what happens
};

struct RunResult {
  std::optional<Violation> violation;
  Counts counts;
  std::uint64_t calls_lost = 0;
};

RunResult RunSeed(const RunOptions& options);

// For a person: what is wrong, the last that happened before it, and the command that shows it again. Runs
// the seed once more.
std::string Explain(const RunOptions& options, const std::string& fault_name);

}  // namespace hawser::sim
