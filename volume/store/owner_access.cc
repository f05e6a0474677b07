#include "volume/store/owner_access.h"

#include <unistd.h>

#include <cerrno>

#include "common/base/log.h"

namespace hawser {

OwnerAccess::OwnerAccess(const std::string& path) : path_(path) {
  struct stat info {};
  if (::geteuid() == 0 || ::stat(path_.c_str(), &info) != 0) return;
  mode_ = info.st_mode & 07777;
  lifted_ = ::chmod(path_.c_str(), mode_ | S_IRUSR | S_IWUSR) == 0;
}

OwnerAccess::~OwnerAccess() {
  const int problem = errno;  // of the call that this was for
  if (lifted_ && ::chmod(path_.c_str(), mode_) != 0)
    log::error("cannot give a file its mode {:o} back", mode_);
  errno = problem;
}

}  // namespace hawser
