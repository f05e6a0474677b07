// Every key of the config file, declared in tables. DESIGN section 10.
#pragma once

#include "common/config/config.h"
#include "common/config/fields.h"

namespace hawser {

// Reads the whole document into `config`: keys, types, units, and values that are impossible by themselves.
// Rules about several values are Validate's (validate.h).
Read ConfigFile(Config& config);

}  // namespace hawser
