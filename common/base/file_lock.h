// Who holds a lock that was taken with flock(2). It is looked up instead of tried, which would be in the way
// of a process that takes it just now. Any thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace hawser {

// nullopt: nobody (or there is no such file). 0: somebody in another pid namespace.
std::optional<pid_t> LockHolder(const std::string& path);

}  // namespace hawser
