#include "volume/store/inherited_access.h"

#include <fmt/format.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cstring>

#include "volume/store/acl_names.h"

namespace hawser {

namespace {

// Two of them and a path fit into a record's header. 1,364 entries.
constexpr std::size_t kMostAclBytes = 16 * kKiB;

bool IsAcl(Bytes acl) { return acl.size() >= sizeof(posix_acl_xattr_header); }

// Calls `change` for each entry of an ACL, in place.
template <class F>
void ForEachAclEntry(std::span<std::byte> acl, F&& change) {
  for (std::size_t at = sizeof(posix_acl_xattr_header); at + sizeof(posix_acl_xattr_entry) <= acl.size();
       at += sizeof(posix_acl_xattr_entry)) {
    posix_acl_xattr_entry entry;
    std::memcpy(&entry, &acl[at], sizeof entry);
    change(entry);
    std::memcpy(&acl[at], &entry, sizeof entry);
  }
}

// Limits three permission bits of the entry and of `mode`, `shift` further left there, by each other.
void Limit(posix_acl_xattr_entry& entry, mode_t& mode, int shift) {
  constexpr mode_t kBits = S_IRWXO;
  entry.e_perm = static_cast<std::uint16_t>(entry.e_perm & (mode >> shift) & kBits);
  mode = (mode & ~(kBits << shift)) | (static_cast<mode_t>(entry.e_perm) << shift);
}

}  // namespace

InheritedAccess InheritAccess(mode_t mode, mode_t umask, Bytes default_acl, bool is_directory) {
  if (!IsAcl(default_acl)) return {mode & ~umask, {}, {}};
  Buffer access(default_acl.begin(), default_acl.end());
  bool has_mask = false;
  bool is_more_than_a_mode = false;
  ForEachAclEntry(access, [&](const posix_acl_xattr_entry& entry) {
    has_mask = has_mask || entry.e_tag == ACL_MASK;
    is_more_than_a_mode =
        is_more_than_a_mode || entry.e_tag == ACL_MASK || entry.e_tag == ACL_USER || entry.e_tag == ACL_GROUP;
  });
  ForEachAclEntry(access, [&](posix_acl_xattr_entry& entry) {
    if (entry.e_tag == ACL_USER_OBJ) Limit(entry, mode, 6);
    if (entry.e_tag == (has_mask ? ACL_MASK : ACL_GROUP_OBJ)) Limit(entry, mode, 3);
    if (entry.e_tag == ACL_OTHER) Limit(entry, mode, 0);
  });
  InheritedAccess inherited{mode, {}, {}};
  if (is_more_than_a_mode) inherited.access_acl = AsText(access);
  if (is_directory) inherited.default_acl = AsText(default_acl);
  return inherited;
}

Result<Buffer> ReadDefaultAcl(const std::string& path) {
  std::byte acl[kMostAclBytes];
  const ssize_t size = ::getxattr(path.c_str(), kDefaultAcl, acl, sizeof acl);
  if (size < 0 && errno == ERANGE)
    return Error{E2BIG, fmt::format("a default ACL of more than {} bytes is not inherited", kMostAclBytes)};
  if (size < 0 && errno != ENODATA && errno != ENOTSUP)
    return ErrnoError("cannot read the default ACL of a directory");
  return Buffer(acl, acl + std::max<ssize_t>(size, 0));
}

}  // namespace hawser
