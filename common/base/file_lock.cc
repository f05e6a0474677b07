#include "common/base/file_lock.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace hawser {

// A line of /proc/locks: "12: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF"; of one who waits: "12: -> ...".
std::optional<pid_t> LockHolder(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  const std::string wanted =
      fmt::format("{:02x}:{:02x}:{}", major(info.st_dev), minor(info.st_dev), info.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, strictness, access, file;
    pid_t holder = 0;
    words >> number >> kind >> strictness >> access >> holder >> file;
    if (words && kind == "FLOCK" && file == wanted) return std::max<pid_t>(holder, 0);
  }
  return std::nullopt;
}

}  // namespace hawser
