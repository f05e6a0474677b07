// File ids on the nodes of a store. Regular files and directories have theirs in the xattr user.hawser.id.
// Symlinks and special files ("values") can't carry user xattrs; they have trusted.hawser.id where the
// process may set that (CAP_SYS_ADMIN), and else none. Xattrs under these prefixes are Hawser's own and never
// shown in a mount.
#pragma once

#include <string>
#include <string_view>

#include "common/base/ids.h"
#include "common/base/result.h"

namespace hawser {

inline bool IsHiddenXattr(std::string_view name) {
  return name.starts_with("user.hawser.") || name.starts_with("trusted.hawser.");
}

// The ids of values have this bit, those of files and directories don't.
inline constexpr std::uint64_t kValueIdBit = std::uint64_t{1} << 63;
inline FileId ValueId(FileId id) { return FileId(id.value | kValueIdBit); }
inline bool IsValueId(FileId id) { return (id.value & kValueIdBit) != 0; }

// The id of the node behind a /proc/self/fd path (which is not followed further), or of an open (not O_PATH)
// descriptor. kNoFileId if it has none.
Result<FileId> ReadFileId(const std::string& path);
Result<FileId> ReadFileId(int fd);

// To an open descriptor of a regular file or directory.
Status WriteFileId(int fd, FileId id);

// The same of values only.
Result<FileId> ReadValueId(const std::string& path);

// To the value behind a /proc/self/fd path.
Status WriteValueId(const std::string& path, FileId id);

}  // namespace hawser
