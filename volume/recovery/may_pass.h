// Which errors of a store are waited out.
#pragma once

namespace hawser {

// Whether a store that gave this error may take the record later as it is. `has_room`: there was room enough
// for it all the same.
bool MayPass(int code, bool has_room);

}  // namespace hawser
