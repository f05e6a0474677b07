// Rules about a config as a whole: what the keys say together has to be possible.
#pragma once

#include "common/config/config.h"
#include "common/config/fields.h"

namespace hawser {

// EINVAL at the first rule that is broken, with the line of the key that breaks it.
Status Validate(const Config& config, const Source& source);

}  // namespace hawser
