// Operations on attributes, and those that only look.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "tests/support/churn/worker.h"

namespace hawser::test {
namespace {

// For calls that have no form relative to a descriptor.
std::string ProcPath(const Worker& worker, const std::string& path) {
  return "/proc/self/fd/" + std::to_string(worker.root) + "/" + path;
}

Outcome Chmod(Worker& worker, Rng& rng) {
  const std::string path = RandomNode(rng);
  const mode_t mode = rng.Pick<mode_t>({0600, 0644, 0755, 0640, 02755, 04755, 01755});
  return Expect(fchmodat(worker.root, path.c_str(), mode | S_IRWXU, 0), "chmod", path,
                {ENOENT, ENOTDIR, ELOOP});
}

Outcome Chown(Worker& worker, Rng& rng) {
  const std::string path = RandomNode(rng);
  const uid_t uid = rng.Pick<uid_t>({0, 1000, 65534, static_cast<uid_t>(-1)});
  const gid_t gid = rng.Pick<gid_t>({0, 1000, 65534, static_cast<gid_t>(-1)});
  return Expect(fchownat(worker.root, path.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW), "chown", path,
                {ENOENT, ENOTDIR, EPERM, ELOOP});
}

Outcome SetTimes(Worker& worker, Rng& rng) {
  const std::string path = RandomNode(rng);
  const auto time = [&rng] {
    const auto seconds = static_cast<time_t>(rng.Below(2'000'000'000));
    return timespec{seconds,
                    rng.Pick<long>({static_cast<long>(rng.Below(1'000'000'000)), UTIME_NOW, UTIME_OMIT})};
  };
  const timespec times[2] = {time(), time()};
  return Expect(utimensat(worker.root, path.c_str(), times, AT_SYMLINK_NOFOLLOW), "utimensat", path,
                {ENOENT, ENOTDIR, ELOOP});
}

Outcome SetXattr(Worker& worker, Rng& rng) {
  const std::string path = RandomNode(rng);
  const std::string name = "user.churn" + std::to_string(rng.Below(3));
  const std::size_t size = rng.Below(200);
  FillRandom(rng, worker.aligned, size);
  const int flags = rng.Pick<int>({0, 0, XATTR_CREATE, XATTR_REPLACE});
  return Expect(lsetxattr(ProcPath(worker, path).c_str(), name.c_str(), worker.aligned, size, flags),
                "setxattr", path, {ENOENT, ENOTDIR, EPERM, EEXIST, ENODATA, ELOOP});
}

Outcome RemoveXattr(Worker& worker, Rng& rng) {
  const std::string path = RandomNode(rng);
  const std::string name = "user.churn" + std::to_string(rng.Below(3));
  return Expect(lremovexattr(ProcPath(worker, path).c_str(), name.c_str()), "removexattr", path,
                {ENOENT, ENOTDIR, EPERM, ENODATA, ELOOP});
}

Outcome ReadXattrs(Worker& worker, Rng& rng) {
  const std::string path = ProcPath(worker, RandomNode(rng));
  const ssize_t size = llistxattr(path.c_str(), worker.aligned, kChurnMaxWrite);
  if (size < 0) return Expect(size, "listxattr", path, {ENOENT, ENOTDIR, ELOOP});
  return Expect(lgetxattr(path.c_str(), "user.churn0", worker.aligned, kChurnMaxWrite), "getxattr", path,
                {ENOENT, ENOTDIR, ENODATA, EPERM, ELOOP});
}

Outcome LookAt(Worker& worker, Rng& rng) {
  const std::string path = RandomNode(rng);
  struct stat info {};
  return Expect(fstatat(worker.root, path.c_str(), &info, AT_SYMLINK_NOFOLLOW), "stat", path,
                {ENOENT, ENOTDIR, ELOOP});
}

Outcome List(Worker& worker, Rng& rng) {
  const std::string path = rng.OneIn(3) ? "." : RandomFolder(rng, 1 + rng.Below(2));
  UniqueFd fd(openat(worker.root, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return Expect(-1, "open", path, {ENOENT, ENOTDIR});
  DIR* stream = fdopendir(fd.get());
  if (stream == nullptr) return Expect(-1, "fdopendir", path, {});
  static_cast<void>(fd.Release());
  errno = 0;
  while (readdir(stream) != nullptr) errno = 0;
  const int code = errno;
  closedir(stream);
  errno = code;
  return Expect(code == 0 ? 0 : -1, "readdir", path, {ENOENT});
}

Outcome SyncFolder(Worker& worker, Rng& rng) {
  const std::string path = RandomFolder(rng, 1);
  const UniqueFd fd(openat(worker.root, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return Expect(-1, "open", path, {ENOENT, ENOTDIR});
  return Expect(fsync(fd.get()), "fsync", path, {});
}

Outcome StatFs(Worker& worker, Rng&) {
  struct statvfs info {};
  return Expect(fstatvfs(worker.root, &info), "statvfs", ".", {});
}

Outcome ReadLink(Worker& worker, Rng& rng) {
  const std::string path = RandomNode(rng);
  return Expect(readlinkat(worker.root, path.c_str(), worker.aligned, 100), "readlink", path,
                {ENOENT, ENOTDIR, EINVAL, ELOOP});
}

}  // namespace

const std::vector<Operation>& AttributeOperations() {
  static const std::vector<Operation> operations = {
      {"chmod", 4, Chmod},
      {"chown", 3, Chown},
      {"utimens", 4, SetTimes},
      {"setxattr", 5, SetXattr},
      {"removexattr", 3, RemoveXattr},
      {"read_xattrs", 2, ReadXattrs},
      {"stat", 8, LookAt},
      {"readdir", 4, List},
      {"fsync_folder", 1, SyncFolder},
      {"statfs", 1, StatFs},
      {"readlink", 1, ReadLink},
  };
  return operations;
}

}  // namespace hawser::test
