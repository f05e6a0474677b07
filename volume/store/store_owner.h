// Which volume a store belongs to, as its root says (xattr user.hawser.volume).
#pragma once

#include <string>

#include "common/base/ids.h"
#include "common/base/result.h"

namespace hawser {

// "demo/docs": a volume's name with its group's.
inline std::string FullName(const std::string& group, const VolumeName& volume) {
  return group + "/" + volume.value;
}

// The full name of the volume; empty: nobody's yet. ENOTSUP: a filesystem without user xattrs. `root`: a
// descriptor of the store at `path`.
Result<std::string> ReadStoreOwner(int root, const std::string& path);

// Neither flushes.
Status WriteStoreOwner(int root, const std::string& owner, const std::string& path);

// What somebody is told who wants the store of `found` for `wanted`. The errno is EINVAL. `empty`: it holds
// no files, as after a start under another name.
Error OthersStore(const std::string& path, const std::string& found, const std::string& wanted, bool empty);

}  // namespace hawser
