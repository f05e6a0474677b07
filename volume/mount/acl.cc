#include "volume/mount/acl.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>

#include <cstring>
#include <optional>

namespace hawser {

mode_t NewNodeMode(mode_t mode, mode_t umask, Bytes default_acl) {
  if (default_acl.size() < sizeof(posix_acl_xattr_header)) return mode & ~umask;
  std::optional<mode_t> group;
  std::optional<mode_t> mask;
  for (std::size_t at = sizeof(posix_acl_xattr_header);
       at + sizeof(posix_acl_xattr_entry) <= default_acl.size(); at += sizeof(posix_acl_xattr_entry)) {
    posix_acl_xattr_entry entry;
    std::memcpy(&entry, &default_acl[at], sizeof entry);
    const mode_t permissions = entry.e_perm;
    switch (entry.e_tag) {
      case ACL_USER_OBJ:
        mode &= (permissions << 6) | ~static_cast<mode_t>(S_IRWXU);
        break;
      case ACL_OTHER:
        mode &= permissions | ~static_cast<mode_t>(S_IRWXO);
        break;
      case ACL_GROUP_OBJ:
        group = permissions;
        break;
      case ACL_MASK:
        mask = permissions;
        break;
      default:
        break;
    }
  }
  if (const auto limit = mask ? mask : group) mode &= (*limit << 3) | ~static_cast<mode_t>(S_IRWXG);
  return mode;
}

}  // namespace hawser
