// A volume changes its role in place: its mount stays, and so do the programs that use it.
//
//   1. The old role ends: it takes no more changes, and calls that wait in it are told.
//   2. Its leases come back: each call has been answered, and ran under one role.
//   3. The new role takes calls, and the mount looks writable or read-only to programs that ask, as it is.
//   4. The kernel forgets what it keeps of the old role's answers: attributes, pages, and names, also of what
//      isn't there. What it keeps for an hour on a primary would be stale for that long on a secondary.
//
// The kernel forgets last, and while calls are served: it keeps a directory locked while a call on it waits
// and a page while it is being read, and forgetting waits for these. What it shows meanwhile is true: until
// this returns nothing may change the store but the new role's own calls. So whoever applies records of
// others begins after it.
#pragma once

#include <memory>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "volume/mount/role.h"
#include "volume/mount/session.h"
#include "volume/mount/volume.h"

namespace hawser {

// `session`: the volume's mount; null if there is none. ETIMEDOUT: calls in flight didn't end before
// `deadline`; the old role stays, but it has ended. Not from within a call, and with no lock held.
Status SwitchRole(Volume& volume, Session* session, std::shared_ptr<Role> next, Deadline deadline);

}  // namespace hawser
