#include "tests/support/leftovers.h"

#include <sys/mount.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace hawser::test {

std::vector<std::string> MountsBelow(const std::string& folder) {
  std::vector<std::string> mounts;
  std::ifstream info("/proc/self/mountinfo");
  for (std::string line; std::getline(info, line);) {
    std::istringstream words(line);
    std::string path;
    for (int i = 0; i < 5; ++i) words >> path;
    if (path.starts_with(folder + "/")) mounts.push_back(path);
  }
  return mounts;
}

void Detach(const std::string& mount) {
  if (umount2(mount.c_str(), MNT_DETACH) == 0) return;
  static_cast<void>(RunCommand({"fusermount3", "-u", "-z", mount}));
}

void DetachAllBelow(const std::string& folder) {
  const std::vector<std::string> mounts = MountsBelow(folder);
  for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount) Detach(*mount);
}

void CleanUpAfterKilledTests(const std::string& prefix) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(TempRoot(), failed)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(prefix)) continue;
    const pid_t pid = std::atoi(name.c_str() + prefix.size());
    if (pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH) continue;
    DetachAllBelow(entry.path());
    RemoveAll(entry.path(), failed);
  }
}

}  // namespace hawser::test
