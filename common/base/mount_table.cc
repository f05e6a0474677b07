#include "common/base/mount_table.h"

#include <mntent.h>

#include <cstdio>
#include <memory>

namespace hawser {

std::optional<MountEntry> MountedAt(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> table(::setmntent("/proc/self/mounts", "re"), ::endmntent);
  std::optional<MountEntry> there;
  mntent entry{};
  char buffer[8192];
  while (table && ::getmntent_r(table.get(), &entry, buffer, sizeof buffer) != nullptr) {
    if (path == entry.mnt_dir) there = {entry.mnt_fsname, entry.mnt_type};  // the last one lies on top
  }
  return there;
}

}  // namespace hawser
