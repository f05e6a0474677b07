// File ids on the nodes of a store: the xattr user.hawser.id of regular files and directories. The xattrs under
// user.hawser. are Hawser's own and never shown in a mount.
#pragma once

#include <string>
#include <string_view>

#include "common/base/ids.h"
#include "common/base/result.h"

namespace hawser {

inline constexpr std::string_view kHiddenXattrPrefix = "user.hawser.";

inline bool IsHiddenXattr(std::string_view name) { return name.starts_with(kHiddenXattrPrefix); }

// The id of the node behind a /proc/self/fd path (which is not followed further), or of an open (not O_PATH) descriptor. kNoFileId if it has
// none.
Result<FileId> ReadFileId(const std::string& path);
Result<FileId> ReadFileId(int fd);

// EPERM for symlinks and special files.
Status WriteFileId(int fd, FileId id);

}  // namespace hawser
