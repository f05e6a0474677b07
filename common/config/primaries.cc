#include "common/config/primaries.h"

#include <fmt/format.h>

namespace hawser {

std::optional<std::string> PrimaryDiffers(const Config& config, const VolumeName& volume,
                                          const NodeName& actual) {
  const auto found = config.volumes.find(volume);
  if (found == config.volumes.end() || found->second.primary == actual) return std::nullopt;
  if (!config.nodes.contains(actual)) {
    return fmt::format(
        "volume {}: nobody can write, since by the journal its primary is {}, and the config has no such "
        "node; give the node its name back",
        volume.value, actual.value);
  }
  return fmt::format(
      "volume {}: the config names {} as its primary, and by the journal it is {}, which is what counts; "
      "write 'primary: {}' into the config on every machine, or move it home: hawser promote {}",
      volume.value, found->second.primary.value, actual.value, actual.value, found->second.primary.value);
}

}  // namespace hawser
