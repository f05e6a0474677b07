#include "tests/support/temp_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace hawser::test {

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

TempDir::~TempDir() {
  std::error_code failed;
  std::filesystem::remove_all(path_, failed);
  if (failed) std::fprintf(stderr, "could not remove %s: %s\n", path_.c_str(), failed.message().c_str());
}

}  // namespace hawser::test
