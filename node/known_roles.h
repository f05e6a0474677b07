// What this node last heard of who is primary: with it, a secondary starts when no relay answers.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/net/messages.h"

namespace hawser {

// From the file `path`; empty if there is none.
Result<std::vector<VolumeFact>> ReadKnownRoles(const std::string& path);
// Nothing is written where that is what the file says: it needs no room then.
Status WriteKnownRoles(const std::string& path, const std::vector<VolumeFact>& facts);

}  // namespace hawser
