#include "tests/support/temp_dir.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace hawser::test {

namespace {

void ClearImmutable(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int flags = 0;
  if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_IMMUTABLE_FL) != 0) {
    flags &= ~FS_IMMUTABLE_FL;
    static_cast<void>(ioctl(fd, FS_IOC_SETFLAGS, &flags));
  }
  close(fd);
}

}  // namespace

std::string TempRoot() {
  const char* root = std::getenv("TMPDIR");
  return root != nullptr && *root != '\0' ? root : "/tmp";
}

TempDir::TempDir(const std::string& prefix) : path_(TempRoot() + "/" + prefix + "XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr || chmod(path_.c_str(), 0755) != 0) {
    std::perror(("cannot make a temporary folder " + path_).c_str());
    std::abort();
  }
}

void RemoveAll(const std::string& path, std::error_code& failed) {
  std::filesystem::remove_all(path, failed);
  if (failed != std::errc::operation_not_permitted) return;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path, ignored)) {
    if (entry.is_directory(ignored)) ClearImmutable(entry.path());
  }
  std::filesystem::remove_all(path, failed);
}

TempDir::~TempDir() {
  std::error_code failed;
  RemoveAll(path_, failed);
  if (failed) std::fprintf(stderr, "could not remove %s: %s\n", path_.c_str(), failed.message().c_str());
}

}  // namespace hawser::test
