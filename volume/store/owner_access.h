// For a process without root: a node's own mode can be in its owner's way (git's objects are 0444, a new file
// may be 0, a folder may be closed while something below it is written to). On a disk the one who had it open
// before goes on through his descriptor; Hawser comes back to it by path. So the owner's bits are lifted for
// a moment. Nothing happens for root and for nodes of other owners. Others may see the mode meanwhile.
#pragma once

#include <sys/stat.h>

#include <deque>
#include <string>
#include <utility>

#include "common/base/unique_fd.h"

namespace hawser {

// While it lives, the node behind a /proc/self/fd path can be read and written by its owner, and a folder
// searched. Any threads may do so to the same node.
class OwnerAccess {
 public:
  explicit OwnerAccess(const std::string& path);
  ~OwnerAccess();
  OwnerAccess(const OwnerAccess&) = delete;
  OwnerAccess& operator=(const OwnerAccess&) = delete;

  bool lifted() const { return lifted_; }

 private:
  const std::string path_;
  struct stat info_ {};
  bool lifted_ = false;
};

// The same for the folders that one record has to do with.
class FolderAccess {
 public:
  FolderAccess() = default;
  ~FolderAccess() { Restore(); }
  FolderAccess(const FolderAccess&) = delete;
  FolderAccess& operator=(const FolderAccess&) = delete;

  // The node behind a descriptor of any kind, if it is a folder.
  void Lift(int folder);
  // From the last one to the first: one may be needed to reach the next.
  void Restore();

 private:
  struct Lifted {
    Lifted(UniqueFd folder, const std::string& path) : fd(std::move(folder)), access(path) {}
    UniqueFd fd;
    OwnerAccess access;
  };
  std::deque<Lifted> lifted_;
};

// chmod(2), also if the node is lifted: then it has the mode when it no longer is.
int ChangeMode(const std::string& path, mode_t mode);

}  // namespace hawser
