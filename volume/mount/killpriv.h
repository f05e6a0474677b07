// Sparing the question that the kernel asks before each write: whether the file has a security.capability
// xattr that the write must remove. A filesystem that agrees to FUSE_HANDLE_KILLPRIV_V2 is asked once a file.
// It promises to take away setuid, setgid and capabilities with a change: the first two stand in the record
// (privileges.h), and the store's own filesystem removes the third when the record is applied.
//
// libfuse 3.14 can't ask for it. So its greeting is completed on the way to the kernel.
#pragma once

#include "common/base/result.h"

struct fuse_session;

namespace hawser {

// For a mounted session that has not read a request yet.
Status AskForKillprivV2(fuse_session* session);

}  // namespace hawser
