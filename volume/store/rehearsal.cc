#include "volume/store/rehearsal.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <vector>

#include "common/base/unique_fd.h"
#include "volume/store/acl_names.h"

namespace hawser {

namespace {

UniqueFd OpenUnnamed(int root) { return UniqueFd(::openat(root, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)); }

// A directory's default ACL takes its room under another name: a file can't have one.
std::string NameOnAFile(const std::string& name) { return name == kDefaultAcl ? "user.hawser.acl" : name; }

// All xattrs that can be copied; the security ones of a file don't count in its favour or against it.
void CopyXattrs(const std::string& from, int to) {
  std::vector<char> names(64 * kKiB);
  const ssize_t size = ::listxattr(from.c_str(), names.data(), names.size());
  std::vector<char> value(64 * kKiB);
  for (ssize_t at = 0; at < size;) {
    const std::string name(&names[static_cast<std::size_t>(at)]);
    at += static_cast<ssize_t>(name.size()) + 1;
    const ssize_t length = ::getxattr(from.c_str(), name.c_str(), value.data(), value.size());
    if (length >= 0)
      static_cast<void>(
          ::fsetxattr(to, NameOnAFile(name).c_str(), value.data(), static_cast<std::size_t>(length), 0));
  }
}

}  // namespace

Status RehearseSetXattr(int root, const std::string& node_path, const std::string& name, Bytes value) {
  const UniqueFd fd = OpenUnnamed(root);
  if (!fd) return {};
  CopyXattrs(node_path, fd.get());
  if (::fsetxattr(fd.get(), NameOnAFile(name).c_str(), value.data(), value.size(), 0) != 0)
    return ErrnoError("the store would not take xattr " + name);
  return {};
}

Status RehearseAllocate(int root, std::uint64_t size, std::uint32_t mode, std::uint64_t offset,
                        std::uint64_t length) {
  // Plain allocation on an unnamed file would really take the space, and the zeros could take long.
  if ((mode & ~static_cast<std::uint32_t>(FALLOC_FL_KEEP_SIZE)) == 0) return {};
  const UniqueFd fd = OpenUnnamed(root);
  if (!fd) return {};
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0)
    return ErrnoError("the store would not take that size");
  if (::fallocate(fd.get(), static_cast<int>(mode), static_cast<off_t>(offset), static_cast<off_t>(length)) !=
      0)
    return ErrnoError("the store would not allocate");
  return {};
}

Status RehearseSize(int root, std::uint64_t size) {
  const UniqueFd fd = OpenUnnamed(root);
  if (!fd) return {};
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0)
    return ErrnoError("the store would not take that size");
  return {};
}

Status RehearseOwner(int root, std::optional<std::uint32_t> uid, std::optional<std::uint32_t> gid) {
  if (::geteuid() == 0 || (!uid && !gid)) return {};
  const UniqueFd fd = OpenUnnamed(root);
  if (!fd) return {};
  constexpr auto kKeep = static_cast<std::uint32_t>(-1);
  if (::fchown(fd.get(), uid.value_or(kKeep), gid.value_or(kKeep)) != 0)
    return ErrnoError("the store would not take that owner");
  return {};
}

Status CheckTarget(int root, const std::string& target) {
  constexpr std::size_t kMostOnXfs = 1023;
  if (target.empty()) return Error{ENOENT, "empty target"};
  struct statfs info {};
  if (::fstatfs(root, &info) != 0) return ErrnoError("cannot ask about the store's filesystem");
  // Short enough for one block.
  std::size_t most = std::min<std::size_t>(PATH_MAX, static_cast<std::size_t>(info.f_bsize)) - 1;
  if (info.f_type == XFS_SUPER_MAGIC) most = std::min(most, kMostOnXfs);
  if (target.size() > most) return Error{ENAMETOOLONG, "target of a symlink"};
  return {};
}

}  // namespace hawser
