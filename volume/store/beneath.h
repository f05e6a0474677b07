// Opening nodes of a store by path so that nothing can lead out of it: openat2(2) with RESOLVE_BENEATH,
// RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS and RESOLVE_NO_XDEV. Paths of any length.
#pragma once

#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "common/record/store_path.h"

namespace hawser {

// `root` is a descriptor of the store's root. `flags` are those of open(2); O_NOFOLLOW and O_CLOEXEC are
// added. A symlink as last component can be opened with O_PATH only.
Result<UniqueFd> OpenBeneath(int root, const StorePath& path, int flags);

// An entry of a directory: an O_PATH descriptor of the directory, and the name in it.
struct EntryRef {
  UniqueFd parent;
  std::string name;
};
// `path` is not the root.
Result<EntryRef> OpenParent(int root, const StorePath& path);

// Path in /proc of an open descriptor, for the system calls that take no O_PATH descriptor.
std::string ProcPath(int fd);

}  // namespace hawser
