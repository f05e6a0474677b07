// Named places in the program at which a test can end the process as a crash would (tests/crash).
//
// Here the function does nothing, and the shipped program has nothing else: only the program
// hawser-crashable, which tests are run with, is linked with another definition of it. docs/TESTING.md lists
// the points and what is tested at each.
#pragma once

#include <string_view>

namespace hawser {

// `name` is "part.what has just happened". `detail` tells apart what passes the same place: a path, for
// instance. Any thread.
void CrashPoint(std::string_view name, std::string_view detail = {}) noexcept;

}  // namespace hawser
