// What a node reports while it starts: each volume is as far as its checkpoint says.
#pragma once

#include <memory>
#include <vector>

#include "common/net/messages.h"
#include "node/hosted_volume.h"
#include "node/start_watch.h"

namespace hawser {

// `report` without its volumes. Any thread, while the volumes are there.
Report StartReport(Report report, const std::vector<std::unique_ptr<HostedVolume>>& volumes,
                   const StartWatch& watch);

}  // namespace hawser
