// A filesystem of its own on a folder, until the end of the test.
#pragma once

#include <sys/mount.h>

#include <string>
#include <utility>

namespace hawser::test {

class OtherFilesystem {
 public:
  // `options`: what mount takes after -o. Needs root; mounted() says whether it could.
  OtherFilesystem(std::string folder, const std::string& type, const std::string& options)
      : folder_(std::move(folder)),
        mounted_(mount("hawser-test", folder_.c_str(), type.c_str(), 0, options.c_str()) == 0) {}
  OtherFilesystem(const OtherFilesystem&) = delete;
  OtherFilesystem& operator=(const OtherFilesystem&) = delete;
  ~OtherFilesystem() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }

 private:
  std::string folder_;
  bool mounted_;
};

}  // namespace hawser::test
