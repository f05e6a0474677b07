// When Linux takes setuid and setgid away from a file, for the mode that a record carries. The kernel leaves
// that to a filesystem that says FUSE_CAP_HANDLE_KILLPRIV. The rules are those of inode_change_ok and
// file_remove_privs: see inode(7) and chown(2).
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <optional>

namespace hawser {

// `in_group`: whether the caller belongs to a group.
using InGroup = std::function<bool(gid_t)>;

// The file's permission bits after its data was changed by a caller; nullopt: as they are.
std::optional<std::uint32_t> ModeAfterChange(const struct stat& file, uid_t caller, const InGroup& in_group);

// The same after a change of owner or group, which takes the bits away from root too.
std::optional<std::uint32_t> ModeAfterChown(const struct stat& file, uid_t caller, const InGroup& in_group);

// The same after a change of the access ACL. posix_acl_update_mode: outsiders of the group lose setgid, of
// folders too.
std::optional<std::uint32_t> ModeAfterAcl(const struct stat& file, uid_t caller, const InGroup& in_group);

}  // namespace hawser
