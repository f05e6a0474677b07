// What a test that was killed leaves behind: mounts, and the folder they are in.
#pragma once

#include <string>
#include <vector>

namespace hawser::test {

// Mount points below `folder`, the innermost last.
std::vector<std::string> MountsBelow(const std::string& folder);

// Takes a mount down whoever still uses it, also a dead one, also as an ordinary user.
void Detach(const std::string& mount);
void DetachAllBelow(const std::string& folder);

// In TempRoot(): removes folders named `prefix` and a process's number, with the mounts below them, if that
// process is gone.
void CleanUpAfterKilledTests(const std::string& prefix);

}  // namespace hawser::test
