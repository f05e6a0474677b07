// The xattrs in which Linux keeps POSIX ACLs.
#pragma once

namespace hawser {

inline constexpr const char* kAccessAcl = "system.posix_acl_access";
inline constexpr const char* kDefaultAcl = "system.posix_acl_default";

}  // namespace hawser
