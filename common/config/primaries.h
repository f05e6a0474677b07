// The config names the first primary of each volume; from then on it is the journal that says who is primary.
#pragma once

#include <optional>
#include <string>

#include "common/config/config.h"

namespace hawser {

// A sentence for people if the config names another primary of `volume` than `actual`; nullopt also for a
// volume that the config doesn't have.
std::optional<std::string> PrimaryDiffers(const Config& config, const VolumeName& volume,
                                          const NodeName& actual);

}  // namespace hawser
