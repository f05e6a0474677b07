// For a process without root: a file's own mode can be in its owner's way (git's objects are 0444, a new file
// may be 0). On a disk the one who made such a file goes on using it through the descriptor that made it;
// Hawser comes back to it by path. So the owner's bits are lifted for a moment.
#pragma once

#include <sys/stat.h>

#include <string>

namespace hawser {

// While it lives, the node behind a /proc/self/fd path can be read and written by its owner. Nothing happens
// for root and for nodes of other owners. Others may see the mode meanwhile.
class OwnerAccess {
 public:
  explicit OwnerAccess(const std::string& path);
  ~OwnerAccess();
  OwnerAccess(const OwnerAccess&) = delete;
  OwnerAccess& operator=(const OwnerAccess&) = delete;

 private:
  const std::string path_;
  mode_t mode_ = 0;
  bool lifted_ = false;
};

}  // namespace hawser
