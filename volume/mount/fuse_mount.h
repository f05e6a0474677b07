// Making a FUSE mount by the kernel's own calls (fsopen(2) and its kin, Linux 5.2), which root can. Other
// than mount(2), they can put it in the place of a dead one with nothing in between.
#pragma once

#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace hawser {

// A mount that isn't at any path yet.
struct FuseMount {
  UniqueFd mount;
  UniqueFd device;  // where its requests come from: an open /dev/fuse

  // `source`: what the table of mounts shows: the volume's full name (store_owner.h). ENOSYS, EPERM: neither
  // this kernel nor this user can.
  static Result<FuseMount> Make(const std::string& source, bool allow_other);

  // Puts it at `path`. With `dead`, a mount whose process is gone is there, and goes: the new one is put
  // beneath it first (Linux 6.5; before, there is a moment in between).
  Status Attach(const std::string& path, bool dead) const;
};

// Whether a mount is at `path` whose process is gone ("transport endpoint is not connected"). EBUSY: a FUSE
// mount that lives.
Result<bool> HasDeadMount(const std::string& path);

// Ends the FUSE connection of the mount at `path`, as the end of its process does: the mount stays, as a
// dead one, and each call that waits in it gets an error. Asks the mount nothing. ENOENT: no mount of
// `source` is there.
Status Abort(const std::string& path, const std::string& source);

// Takes what is mounted at `path` away; who uses it still can. By root directly, else by fusermount3.
Status Detach(const std::string& path);

}  // namespace hawser
