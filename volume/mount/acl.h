// The one thing about POSIX ACLs that a filesystem must do itself: the mode of a new node in a directory with
// a default ACL. acl(5), "Object creation and default ACLs".
#pragma once

#include <sys/types.h>

#include "common/base/bytes.h"

namespace hawser {

// The permission bits of a new node that was asked for with `mode`: limited by the directory's default ACL
// (the value of system.posix_acl_default) or, where that is empty, by the umask.
mode_t NewNodeMode(mode_t mode, mode_t umask, Bytes default_acl);

}  // namespace hawser
