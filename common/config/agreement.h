// What the config files of one group must agree in, wherever they lie.
#pragma once

#include <cstdint>

#include "common/config/config.h"

namespace hawser {

// A digest of the group's name, the volumes with their policies, the nodes, and which node holds which
// volume. Not in it: paths, addresses and ports, which may differ from machine to machine.
std::uint64_t AgreementOf(const Config& config);

}  // namespace hawser
