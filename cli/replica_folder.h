// Where a replica stands, read from its folders with nothing running.
#pragma once

#include <map>
#include <string>

#include "cli/session.h"
#include "common/base/ids.h"
#include "common/record/position.h"

namespace hawser::cli {

struct ReplicaStand {
  std::string name;     // as a person named it
  std::string journal;  // the folder of the journal that it keeps; empty: it keeps none
  Progress end;         // of that journal
  // Without a journal: how far each volume that it holds is for certain.
  std::map<VolumeName, Progress> checkpoints;
};

// `text`: a node of the config, a node's state folder, or a journal's folder. Errors are for a person.
Result<ReplicaStand> ReadReplica(const Session& session, const std::string& text);

}  // namespace hawser::cli
