#include <cerrno>
#include <set>

#include "cli/probe.h"
#include "common/base/state_folder.h"
#include "common/config/primaries.h"
#include "node/known_roles.h"

namespace hawser::cli {

Findings ProbePrimaries(const Config& config) {
  Findings findings;
  std::set<VolumeName> told;
  for (const auto& [name, node] : config.nodes) {
    const std::string file = StateFolder(node.state).Roles();
    const auto facts = ReadKnownRoles(file);
    if (!facts && facts.error().code == ENOTDIR) continue;  // said of the state folder itself
    if (!facts) {
      findings.push_back(
          Problem(name.value + " state", file, facts.error().Text(), "it is only what was last heard"));
      continue;
    }
    for (const VolumeFact& fact : *facts) {
      const auto differs = PrimaryDiffers(config, fact.volume, fact.primary);
      if (!differs || !told.insert(fact.volume).second) continue;
      const auto end = differs->find(';');
      findings.push_back(Warning("config", "volumes." + fact.volume.value + ".primary",
                                 differs->substr(0, end), differs->substr(end + 2)));
    }
  }
  return findings;
}

}  // namespace hawser::cli
