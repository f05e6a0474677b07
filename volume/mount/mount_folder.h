// The folder below a mount. Whatever is written into it is hidden by the mount, and lost to whoever wrote it:
// so it must be empty, and root makes it immutable (as chattr +i does). Programs that write while nothing is
// mounted then get an error.
#pragma once

#include <string>

#include "common/base/result.h"

namespace hawser {

// Whether a volume can be mounted at `path`: it is a folder, empty unless `nonempty`, and no living FUSE
// mount is there (EBUSY). A dead mount is fine: it keeps everybody from the folder below, and stays until the
// new one takes its place.
Status CheckMountFolder(const std::string& path, bool nonempty);

// Makes the folder at `path` immutable if it is empty, also one below a dead mount. Errors: this user can't,
// or its filesystem doesn't know how. It stays so when the mount is gone: `chattr -i` before removing it.
Status KeepUnwritable(const std::string& path);

}  // namespace hawser
