// What a new node gets of its directory's default ACL: acl(5), "Object creation and default ACLs".
// Filesystems do that too, but some in a step of its own, which a power cut can keep from the disk. So the
// primary decides it, the record of the new node carries it, and who applies or redoes the record sets it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace hawser {

struct InheritedAccess {
  mode_t mode = 0;  // permission bits
  // Values of the xattrs in acl_names.h; nullopt: the mode says all, or there is none.
  std::optional<std::string> access_acl;
  std::optional<std::string> default_acl;
};

// Of a node that is asked for with `mode`, and isn't a symlink: limited by the directory's default ACL or,
// where that is empty, by the umask.
InheritedAccess InheritAccess(mode_t mode, mode_t umask, Bytes default_acl, bool is_directory);

// The value of system.posix_acl_default of the directory at `path`; empty if it has none. E2BIG: one that is
// too large for a record.
Result<Buffer> ReadDefaultAcl(const std::string& path);

}  // namespace hawser
