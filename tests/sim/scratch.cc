#include "tests/sim/scratch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/support/leftovers.h"
#include "tests/support/temp_dir.h"

namespace hawser::sim {

namespace {

constexpr const char* kPrefix = "hawser-sim-";
constexpr const char* kInMemory = "/dev/shm";

}  // namespace

Scratch::Scratch() {
  if (::access(kInMemory, W_OK) == 0) ::setenv("TMPDIR", kInMemory, 0);
  test::CleanUpAfterKilledTests(kPrefix);
  path_ = fmt::format("{}/{}{}", test::TempRoot(), kPrefix, ::getpid());
  std::error_code problem;
  std::filesystem::create_directories(path_, problem);
  if (!problem) return;
  fmt::print(stderr, "cannot make a folder for the simulation, '{}': {}\n", path_, problem.message());
  std::exit(3);
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace hawser::sim
