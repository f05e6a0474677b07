// A folder of its own for a test, removed at the end also when the test fails.
#pragma once

#include <string>
#include <system_error>

namespace hawser::test {

class TempDir {
 public:
  // Under $TMPDIR, else /tmp; `prefix` begins its name. Aborts the process if it cannot be made.
  explicit TempDir(const std::string& prefix = "hawser-test-");
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  const std::string& path() const { return path_; }
  // The path of `name` in it.
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// As std::filesystem::remove_all, also folders that nodes have made immutable (volume/mount/mount_folder.h).
void RemoveAll(const std::string& path, std::error_code& failed);

// $TMPDIR, else /tmp.
std::string TempRoot();

}  // namespace hawser::test
