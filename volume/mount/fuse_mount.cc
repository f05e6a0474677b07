#include "volume/mount/fuse_mount.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string_view>
#include <utility>
#include <vector>

#include "common/base/files.h"
#include "common/base/log.h"
#include "common/base/mount_table.h"

namespace hawser {

namespace {

constexpr unsigned kBeneath = 0x200;  // MOVE_MOUNT_BENEATH: glibc 2.36 has no name for it

Status Configure(int context, const std::vector<std::pair<const char*, std::string>>& values) {
  for (const auto& [key, value] : values) {
    if (::fsconfig(context, FSCONFIG_SET_STRING, key, value.c_str(), 0) != 0)
      return ErrnoError(fmt::format("the kernel refuses the mount option {}={}", key, value));
  }
  return {};
}

Status SetFlag(int context, const char* flag) {
  if (::fsconfig(context, FSCONFIG_SET_FLAG, flag, nullptr, 0) == 0) return {};
  return ErrnoError(std::string("the kernel refuses the mount option ") + flag);
}

// By who mounted it, where the kernel's list of connections is mounted.
Status AbortAsOwner(const std::string& path) {
  struct statx info {};
  if (::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &info) != 0)
    return ErrnoError("cannot look what is mounted at", path);
  const std::string abort = fmt::format("/sys/fs/fuse/connections/{}/abort", info.stx_dev_minor);
  HAWSER_ASSIGN(const UniqueFd file, OpenFile(abort, O_WRONLY));
  if (::write(file.get(), "1", 1) != 1) return ErrnoError("cannot write", abort);
  return {};
}

}  // namespace

Result<FuseMount> FuseMount::Make(const std::string& source, bool allow_other) {
  FuseMount made;
  HAWSER_ASSIGN(made.device, OpenFile("/dev/fuse", O_RDWR));
  const UniqueFd context(::fsopen("fuse", FSOPEN_CLOEXEC));
  if (!context) return ErrnoError("cannot begin a FUSE mount");
  HAWSER_TRY(Configure(context.get(), {{"source", source},
                                       {"subtype", "hawser"},
                                       {"fd", std::to_string(made.device.get())},
                                       {"rootmode", "40000"},
                                       {"user_id", std::to_string(::geteuid())},
                                       {"group_id", std::to_string(::getegid())}}));
  HAWSER_TRY(SetFlag(context.get(), "default_permissions"));
  if (allow_other) HAWSER_TRY(SetFlag(context.get(), "allow_other"));
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
    return ErrnoError("cannot make a FUSE filesystem");
  made.mount = UniqueFd(::fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
  if (!made.mount) return ErrnoError("cannot make a FUSE mount");
  return made;
}

Status FuseMount::Attach(const std::string& path, bool dead) const {
  const auto move = [&](unsigned flags) {
    return ::move_mount(mount.get(), "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH | flags) == 0;
  };
  const bool beneath = dead && move(kBeneath);
  if (dead) HAWSER_TRY(Detach(path));
  if (!beneath && !move(0)) return ErrnoError("cannot mount at", path);
  return {};
}

Result<bool> HasDeadMount(const std::string& path) {
  struct statfs info {};
  if (::statfs(path.c_str(), &info) == 0) {
    constexpr auto kFuseMagic = 0x65735546;
    struct stat here {};
    struct stat above {};
    const bool is_mount = ::stat(path.c_str(), &here) == 0 && ::stat((path + "/..").c_str(), &above) == 0 &&
                          here.st_dev != above.st_dev;
    if (info.f_type == kFuseMagic && is_mount)
      return Error{EBUSY, fmt::format("'{}' is mounted already; unmount it or choose another folder", path)};
    return false;
  }
  if (errno != ENOTCONN && errno != ECONNABORTED) return ErrnoError("cannot use the mount folder", path);
  return true;
}

// Forced, umount(2) ends the connection first; then it finds the mount busy, as it is open here.
Status Abort(const std::string& path, const std::string& source) {
  const auto there = MountedAt(path);
  if (!there || there->source != source)
    return Error{ENOENT, "no mount of " + source + " is at '" + path + "'"};
  HAWSER_ASSIGN(const UniqueFd open, OpenFile(path, O_PATH | O_NOFOLLOW));
  if (::umount2(path.c_str(), MNT_FORCE | UMOUNT_NOFOLLOW) == 0 || errno == EBUSY) return {};
  if (errno != EPERM) return ErrnoError("cannot end the mount", path);
  return AbortAsOwner(path);
}

Status Detach(const std::string& path) {
  if (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return {};
  if (errno != EPERM) return ErrnoError("cannot unmount", path);
  std::string program = "fusermount3", unmount = "-u", lazy = "-z", quiet = "-q", target = path;
  char* arguments[] = {program.data(), unmount.data(), lazy.data(), quiet.data(), target.data(), nullptr};
  pid_t child = 0;
  if (const int code = ::posix_spawnp(&child, program.c_str(), nullptr, nullptr, arguments, environ);
      code != 0)
    return Error{code, "cannot run fusermount3 to unmount '" + path + "'"};
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return Error{EPERM, "fusermount3 could not unmount '" + path + "'"};
  return {};
}

}  // namespace hawser
