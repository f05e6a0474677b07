// Seeded random file system calls by many threads in few names, so that they collide all the time.
//
// What thread t does as its n-th operation (which call, which names, offsets, bytes) depends only on the
// seed, t and n; only how the threads interleave is the machine's choice. Each thread also has a file of its
// own whose content it knows and checks.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace hawser::test {

struct ChurnOptions {
  std::vector<std::string> folders;  // thread t works in folders[t % size]
  std::uint64_t seed = 1;
  unsigned threads = 16;
  double seconds = 10;           // 0: no limit
  std::uint64_t operations = 0;  // of each thread; 0: no limit
};

struct ChurnReport {
  std::uint64_t operations = 0;
  // How often each operation ended with each errno (0: success).
  std::map<std::string, std::map<int, std::uint64_t>> outcomes;
  std::vector<std::string> failures;  // thread, number, operation, what was wrong

  std::string Text() const;
};

// Runs until the limits are reached or something fails: an errno that no race can explain, or wrong content.
// An error if a folder cannot be opened.
Result<ChurnReport> RunChurn(const ChurnOptions& options);

}  // namespace hawser::test
