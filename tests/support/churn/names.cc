// Operations on names.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "tests/support/churn/worker.h"

namespace hawser::test {

// Folders are renamed only to names of the same depth, so the tree never gets deeper than this.
constexpr std::uint64_t kMaxDepth = 3;

std::string RandomFolder(Rng& rng, std::uint64_t depth) {
  std::string path;
  for (std::uint64_t i = 0; i < depth; ++i) {
    if (i > 0) path += '/';
    path += "d" + std::to_string(rng.Below(3));
  }
  return path;
}

namespace {

std::string In(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

std::string SomeFolder(Rng& rng) { return RandomFolder(rng, rng.Below(kMaxDepth)); }

Outcome Create(Worker& worker, Rng& rng) {
  const std::string path = RandomFile(rng);
  const int flags = O_CREAT | O_RDWR | O_CLOEXEC | rng.Pick({0, O_EXCL, O_TRUNC, O_NOFOLLOW});
  const UniqueFd fd(openat(worker.root, path.c_str(), flags, rng.Pick<mode_t>({0600, 0644, 0664, 0755})));
  return Expect(fd.get(), "create", path, {ENOENT, EEXIST, ENOTDIR, EISDIR, ELOOP, ENXIO});
}

Outcome MakeFolder(Worker& worker, Rng& rng) {
  const std::string path = RandomFolder(rng, 1 + rng.Below(kMaxDepth));
  return Expect(mkdirat(worker.root, path.c_str(), rng.Pick<mode_t>({0755, 0700, 02775, 01755})), "mkdir",
                path, {ENOENT, EEXIST, ENOTDIR});
}

Outcome RemoveFolder(Worker& worker, Rng& rng) {
  const std::string path = RandomFolder(rng, 1 + rng.Below(kMaxDepth));
  return Expect(unlinkat(worker.root, path.c_str(), AT_REMOVEDIR), "rmdir", path,
                {ENOENT, ENOTEMPTY, ENOTDIR});
}

Outcome Unlink(Worker& worker, Rng& rng) {
  const std::string path = RandomNode(rng);
  return Expect(unlinkat(worker.root, path.c_str(), 0), "unlink", path, {ENOENT, EISDIR, ENOTDIR, ELOOP});
}

Outcome RenameFile(Worker& worker, Rng& rng) {
  const std::string from = RandomFile(rng);
  const std::string to = RandomFile(rng);
  const unsigned flags = rng.Pick({0u, 0u, 0u, unsigned{RENAME_NOREPLACE}, unsigned{RENAME_EXCHANGE}});
  return Expect(renameat2(worker.root, from.c_str(), worker.root, to.c_str(), flags), "rename",
                from + " -> " + to, {ENOENT, EEXIST, ENOTDIR, EISDIR, ELOOP});
}

Outcome RenameFolder(Worker& worker, Rng& rng) {
  const std::uint64_t depth = 1 + rng.Below(kMaxDepth);
  const std::string from = RandomFolder(rng, depth);
  const std::string to = RandomFolder(rng, depth);
  const unsigned flags = rng.Pick({0u, 0u, unsigned{RENAME_NOREPLACE}, unsigned{RENAME_EXCHANGE}});
  return Expect(renameat2(worker.root, from.c_str(), worker.root, to.c_str(), flags), "rename",
                from + " -> " + to, {ENOENT, EEXIST, ENOTEMPTY, ENOTDIR, EISDIR, EINVAL});
}

Outcome Link(Worker& worker, Rng& rng) {
  const std::string from = RandomNode(rng);
  const std::string to = RandomFile(rng);
  return Expect(linkat(worker.root, from.c_str(), worker.root, to.c_str(), 0), "link", from + " -> " + to,
                {ENOENT, EEXIST, ENOTDIR, EPERM, ELOOP});
}

Outcome Symlink(Worker& worker, Rng& rng) {
  const std::string path = In(SomeFolder(rng), "s" + std::to_string(rng.Below(3)));
  const std::string target =
      rng.OneIn(2) ? "f" + std::to_string(rng.Below(8)) : "d" + std::to_string(rng.Below(3));
  return Expect(symlinkat(target.c_str(), worker.root, path.c_str()), "symlink", path,
                {ENOENT, EEXIST, ENOTDIR});
}

Outcome MakeSpecial(Worker& worker, Rng& rng) {
  const std::string path = In(SomeFolder(rng), "n" + std::to_string(rng.Below(2)));
  const mode_t type = rng.Pick<mode_t>({S_IFIFO, S_IFSOCK, S_IFCHR});
  return Expect(mknodat(worker.root, path.c_str(), type | 0600, makedev(1, 3)), "mknod", path,
                {ENOENT, EEXIST, ENOTDIR, EPERM});
}

// A file is written after its last name is gone.
Outcome UnlinkWhileOpen(Worker& worker, Rng& rng) {
  const std::string path = In(SomeFolder(rng), "u" + std::to_string(rng.Below(4)));
  const UniqueFd fd(openat(worker.root, path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644));
  if (!fd) return Expect(-1, "create", path, {ENOENT, ENOTDIR, EISDIR});
  FillRandom(rng, worker.aligned, 1000);
  if (pwrite(fd.get(), worker.aligned, 1000, 100) != 1000) return Expect(-1, "write", path, {});
  const Outcome unlinked = Expect(unlinkat(worker.root, path.c_str(), 0), "unlink", path, {ENOENT, ENOTDIR});
  if (!unlinked.failure.empty()) return unlinked;
  struct stat info {};
  if (pwrite(fd.get(), worker.aligned, 1000, 2000) != 1000)
    return Expect(-1, "write when unlinked", path, {});
  if (ftruncate(fd.get(), 5000) != 0) return Expect(-1, "truncate when unlinked", path, {});
  return Expect(fstat(fd.get(), &info), "stat when unlinked", path, {});
}

// Changes below a folder while it gets another name.
Outcome RenameAboveOpenFile(Worker& worker, Rng& rng) {
  const std::string folder = RandomFolder(rng, 1 + rng.Below(2));
  const std::string path = folder + "/f" + std::to_string(rng.Below(8));
  const std::string to = RandomFolder(rng, 1 + (folder.size() > 2 ? 1 : 0));
  const UniqueFd fd = OpenRegular(worker, path, O_CREAT | O_RDWR | O_NOFOLLOW);
  if (!fd) return Expect(-1, "create", path, {ENOENT, ENOTDIR, EISDIR, ELOOP, ENXIO});
  FillRandom(rng, worker.aligned, 512);
  if (pwrite(fd.get(), worker.aligned, 512, 0) != 512) return Expect(-1, "write", path, {});
  const Outcome renamed = Expect(renameat2(worker.root, folder.c_str(), worker.root, to.c_str(), 0), "rename",
                                 folder + " -> " + to, {ENOENT, ENOTEMPTY, ENOTDIR, EISDIR, EINVAL});
  if (!renamed.failure.empty()) return renamed;
  return Expect(pwrite(fd.get(), worker.aligned, 512, 4000) - 512, "write below a renamed folder", path, {});
}

}  // namespace

std::string RandomFile(Rng& rng) {
  if (rng.OneIn(20)) return In(SomeFolder(rng), "s" + std::to_string(rng.Below(3)));
  return In(SomeFolder(rng), "f" + std::to_string(rng.Below(8)));
}

std::string RandomNode(Rng& rng) {
  switch (rng.Below(8)) {
    case 0:
      return RandomFolder(rng, 1 + rng.Below(kMaxDepth));
    case 1:
      return In(SomeFolder(rng), "s" + std::to_string(rng.Below(3)));
    case 2:
      return In(SomeFolder(rng), "n" + std::to_string(rng.Below(2)));
    default:
      return In(SomeFolder(rng), "f" + std::to_string(rng.Below(8)));
  }
}

const std::vector<Operation>& NameOperations() {
  static const std::vector<Operation> operations = {
      {"create", 12, Create},
      {"mkdir", 6, MakeFolder},
      {"rmdir", 2, RemoveFolder},
      {"unlink", 6, Unlink},
      {"rename_file", 8, RenameFile},
      {"rename_folder", 4, RenameFolder},
      {"rename_above_open_file", 3, RenameAboveOpenFile},
      {"link", 5, Link},
      {"symlink", 2, Symlink},
      {"mknod", 2, MakeSpecial},
      {"unlink_while_open", 3, UnlinkWhileOpen},
  };
  return operations;
}

}  // namespace hawser::test
