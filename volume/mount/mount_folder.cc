#include "volume/mount/mount_folder.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include <filesystem>
#include <system_error>

#include "common/base/files.h"
#include "common/base/unique_fd.h"
#include "volume/mount/fuse_mount.h"

namespace hawser {

namespace {

// A dead mount can't be looked through; a copy of the parent's mount shows what is below it.
Result<UniqueFd> OpenBelow(const std::string& path) {
  const std::filesystem::path folder(path);
  const UniqueFd parent(
      ::open_tree(AT_FDCWD, folder.parent_path().c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!parent) return ErrnoError("cannot look below the dead mount", path);
  UniqueFd below(
      ::openat(parent.get(), folder.filename().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!below) return ErrnoError("cannot open the folder below the dead mount", path);
  return below;
}

bool IsEmpty(int folder) {
  std::error_code problem;
  const bool empty = std::filesystem::is_empty("/proc/self/fd/" + std::to_string(folder), problem);
  return empty && !problem;
}

}  // namespace

Status CheckMountFolder(const std::string& path, bool nonempty) {
  HAWSER_ASSIGN(const bool dead, HasDeadMount(path));
  if (dead) return {};
  std::error_code problem;
  if (!std::filesystem::is_directory(path, problem))
    return Error{ENOTDIR, "the mount '" + path + "' is not a folder; create it"};
  if (!nonempty && !std::filesystem::is_empty(path, problem) && !problem)
    return Error{ENOTEMPTY, "the mount folder '" + path +
                                "' is not empty: the mount would hide what is in it; move that away, or say "
                                "nonempty: true beside mount: in the config"};
  return {};
}

Status KeepUnwritable(const std::string& path) {
  HAWSER_ASSIGN(const bool dead, HasDeadMount(path));
  HAWSER_ASSIGN(const UniqueFd folder, dead ? OpenBelow(path) : OpenFile(path, O_RDONLY | O_DIRECTORY));
  if (!IsEmpty(folder.get())) return {};
  int flags = 0;
  if (::ioctl(folder.get(), FS_IOC_GETFLAGS, &flags) != 0) return ErrnoError("no flags on the folder", path);
  if ((flags & FS_IMMUTABLE_FL) != 0) return {};
  flags |= FS_IMMUTABLE_FL;
  if (::ioctl(folder.get(), FS_IOC_SETFLAGS, &flags) != 0)
    return ErrnoError("cannot make immutable the folder", path);
  return {};
}

}  // namespace hawser
