#include "volume/mount/mount_point.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

namespace hawser {

namespace {

// Asks the filesystem nothing, so it can't hang on its own mount.
Result<std::uint64_t> MountIdAt(const std::string& path) {
  struct statx info {};
  if (::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_MNT_ID, &info) != 0)
    return ErrnoError("cannot look what is mounted at", path);
  if ((info.stx_mask & STATX_MNT_ID) == 0)
    return Error{ENOSYS, "the kernel does not tell which mount '" + path + "' is"};
  return info.stx_mnt_id;
}

}  // namespace

Result<MountPoint> MountPoint::At(const std::string& path) {
  HAWSER_ASSIGN(const std::uint64_t id, MountIdAt(path));
  return MountPoint(path, id);
}

bool MountPoint::shown() const {
  const auto id = MountIdAt(path_);
  return id && *id == id_;
}

Status MountPoint::SetReadOnly(bool read_only) const {
  if (!shown()) return Error{ENOENT, "the mount at '" + path_ + "' isn't there any more"};
  mount_attr attributes{};
  (read_only ? attributes.attr_set : attributes.attr_clr) = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(AT_FDCWD, path_.c_str(), 0, &attributes, sizeof attributes) != 0)
    return ErrnoError(read_only ? "cannot make read-only the mount" : "cannot make writable the mount",
                      path_);
  return {};
}

}  // namespace hawser
