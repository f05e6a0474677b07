#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "cli/output.h"
#include "cli/probe.h"
#include "common/base/files.h"
#include "common/base/mount_table.h"
#include "common/base/state_folder.h"
#include "common/base/unique_fd.h"
#include "common/config/folders.h"
#include "volume/store/checkpoint.h"
#include "volume/store/store_mark.h"
#include "volume/store/store_owner.h"

namespace hawser::cli {
namespace {

std::string Text(int code) { return std::error_code(code, std::generic_category()).message(); }

bool IsEmpty(const std::string& path) {
  std::error_code failure;
  return std::filesystem::is_empty(path, failure);
}

std::string FreeSpace(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return "space unknown";
  return HumanBytes(std::uint64_t{info.f_bavail} * info.f_frsize) + " free";
}

// What keeps `path` from being a folder that this user can use in these ways (access(2)).
std::optional<Finding> FolderTrouble(const std::string& subject, const std::string& path,
                                     int ways = R_OK | W_OK | X_OK) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    const int code = errno;
    if (code == ENOENT) {
      auto missing = Problem(subject, path, "does not exist", "create it: mkdir -p '" + path + "'");
      missing.is_missing = true;
      return missing;
    }
    return Problem(subject, path, "cannot be reached: " + Text(code), "correct the path or its permissions");
  }
  if (!S_ISDIR(info.st_mode)) return Problem(subject, path, "is not a folder", "name a folder in the config");
  if (::access(path.c_str(), ways) != 0) {
    return Problem(subject, path, "cannot be used: " + Text(errno), "give it to this user, or run as root");
  }
  return std::nullopt;
}

// Whether programs can write to an empty folder while nothing is mounted there.
std::string Guard(const std::string& path) {
  const UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  int flags = 0;
  const bool has_flags = ::ioctl(folder.get(), FS_IOC_GETFLAGS, &flags) == 0;
  if (has_flags && (flags & FS_IMMUTABLE_FL) != 0) return "immutable while nothing is mounted";
  const std::string otherwise = ": what programs write there while nothing is mounted, the mount will hide";
  if (::geteuid() != 0) return "only root can make it immutable" + otherwise;
  if (!has_flags) return "its filesystem can't make it immutable" + otherwise;
  return "will be made immutable";
}

// As at a start: whether it is this volume's, and the store that the checkpoint is of.
std::optional<Finding> WrongStoreTrouble(const std::string& subject, const Config& config,
                                         const NodeName& self, const VolumeName& volume) {
  const NodeConfig& node = config.nodes.at(self);
  const std::string& path = node.volumes.at(volume).store;
  const auto checkpoint = ReadCheckpoint(StateFolder(node.state).Checkpoint(volume));
  if (!checkpoint && checkpoint.error().code == ENOTDIR) return std::nullopt;  // said of the state folder
  if (!checkpoint) return Problem(subject, path, checkpoint.error().Text(), "mend that, or move it away");
  const UniqueFd root(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::string wanted = FullName(config.group, volume);
  const auto owner = ReadStoreOwner(root.get(), path);
  if (owner && !owner->empty() && *owner != wanted) {
    const std::string text = OthersStore(path, *owner, wanted, IsEmpty(path)).message;
    const auto end = text.find("; ");
    return Problem(subject, path, text.substr(0, end), text.substr(end + 2));
  }
  const auto marks = ReadStoreMarks(root.get(), path);
  if (!marks) return Problem(subject, path, marks.error().Text(), "put the right store there");
  if (CheckMarks(*checkpoint, *marks, volume, path)) return std::nullopt;
  return Problem(
      subject, path, "doesn't carry the mark of its checkpoint: it is not the store that was there",
      fmt::format("mount its disk, or put the right store there; if it is meant to be new and empty, start "
                  "once with: hawser mount {} --new-store {}",
                  self.value, volume.value));
}

}  // namespace

Finding ProbeStore(const Config& config, const NodeName& node, const VolumeName& volume) {
  const std::string subject = node.value + " " + volume.value + " store";
  const std::string& path = config.nodes.at(node).volumes.at(volume).store;
  if (auto trouble = FolderTrouble(subject, path)) return *trouble;
  // Asking tells as well as setting would, and changes nothing.
  const bool has_id = ::getxattr(path.c_str(), "user.hawser.id", nullptr, 0) >= 0;
  if (!has_id && (errno == ENOTSUP || errno == EPERM)) {
    return Problem(subject, path, "its filesystem has no user xattrs, where file ids are kept",
                   "use ext4, xfs, btrfs or zfs (or mount it with user_xattr)");
  }
  if (!has_id && !IsEmpty(path)) {
    return Problem(subject, path, "holds files that Hawser doesn't know",
                   "start with an empty folder, and copy the files into the mount");
  }
  if (auto trouble = WrongStoreTrouble(subject, config, node, volume)) return *trouble;
  return Fine(subject, path, (has_id ? "in use by Hawser, " : "empty, ") + FreeSpace(path));
}

Finding ProbeMount(const std::string& subject, const ReplicaConfig& replica, bool running) {
  const std::string& path = replica.mount;
  // Unlike stat(2), which the kernel may answer from what it remembers, this always asks the mount's process.
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0 && (errno == ENOTCONN || errno == ECONNABORTED)) {
    return Warning(subject, path, "a dead mount that an earlier process left",
                   "start the node, which takes its place, or: fusermount3 -u '" + path + "'");
  }
  if (const auto there = MountedAt(path)) {
    const bool is_fuse = there->type.starts_with("fuse");
    if (is_fuse && running) return Fine(subject, path, "mounted (" + there->type + ")");
    if (is_fuse) {
      return Problem(subject, path,
                     "somebody else has mounted there (" + there->type + "), the node doesn't run",
                     "end that, or name another folder");
    }
  }
  // Root mounts on what it can't write to: an immutable folder.
  const int ways = ::geteuid() == 0 ? R_OK | X_OK : R_OK | W_OK | X_OK;
  if (auto trouble = FolderTrouble(subject, path, ways)) return *trouble;
  if (IsEmpty(path)) return Fine(subject, path, "empty; " + Guard(path));
  if (replica.nonempty) return Fine(subject, path, "not empty: what is in it is hidden while mounted");
  return Problem(subject, path, "is not empty: the mount would hide what is in it",
                 "move that away, or say nonempty: true beside mount: in the config");
}

std::string NearestFolder(const std::string& path) {
  std::filesystem::path nearest(path);
  while (::access(nearest.c_str(), F_OK) != 0 && nearest.has_relative_path()) nearest = nearest.parent_path();
  return nearest;
}

Finding ProbeOwnFolder(const std::string& subject, const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0 || errno != ENOENT) {
    if (auto trouble = FolderTrouble(subject, path)) return *trouble;
    return Fine(subject, path, FreeSpace(path));
  }
  const std::string parent = NearestFolder(path);
  if (::access(parent.c_str(), W_OK | X_OK) == 0)
    return Fine(subject, path, "will be created, " + FreeSpace(parent));
  return Problem(subject, path, "does not exist and cannot be created in '" + parent + "': " + Text(errno),
                 "create it and give it to this user, or run as root");
}

Findings ProbeApart(const Config& config, Machines machines) {
  auto folders = FoldersOf(config);
  std::string how;
  auto overlap = FindOverlap(folders, machines);
  if (!overlap) {
    for (auto& folder : folders) {
      std::error_code failure;
      const auto real = std::filesystem::weakly_canonical(folder.path, failure);
      if (!failure) folder.path = real;
    }
    overlap = FindOverlap(folders, machines);
    how = "links followed: ";
  }
  if (!overlap) return {};
  const auto end = overlap->problem.find(';');
  return {Problem("folders apart", overlap->folder.Key(), how + overlap->problem.substr(0, end),
                  overlap->problem.substr(end + 2))};
}

}  // namespace hawser::cli
