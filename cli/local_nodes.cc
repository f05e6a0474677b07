#include <fmt/format.h>
#include <sys/stat.h>

#include "cli/local_status.h"
#include "common/base/file_lock.h"
#include "common/base/state_folder.h"
#include "common/journal/inspect.h"
#include "common/journal/journal.h"
#include "node/known_roles.h"
#include "volume/recovery/divergence_note.h"

namespace hawser::cli {
namespace {

void Note(std::string& problem, const std::string& more) {
  if (!problem.empty()) problem += "; ";
  problem += more;
}

// The end of a secondary's own journal; nullopt: it has none yet.
using Received = Result<std::optional<Progress>>;

Received ReceivedIn(const std::string& journal) {
  HAWSER_ASSIGN(const bool exists, JournalExists(journal));
  if (!exists) return std::optional<Progress>();
  HAWSER_ASSIGN(const auto segments, ListJournal(journal));
  if (segments.empty()) return std::optional<Progress>();
  if (!segments.back().problem.empty()) return Error{EBADMSG, segments.back().problem};
  return std::optional(segments.back().end);
}

void ReadAccount(LocalNode& node, const Received& received) {
  if (!received) return Note(node.problem, "the own journal can't be read: " + received.error().Text());
  const auto heard = ReadHeardHead(StateFolder(node.folder).HeardHead());
  if (!heard) Note(node.problem, heard.error().Text());
  if (*received) node.account = MakeAccount(**received, heard ? *heard : std::nullopt);
}

// As the start of the node tells it (CopyRecovery in fuse_secondary/recovery.h): what a copy's store may hold
// behind its checkpoint is in its journal.
void NoteLostJournal(LocalVolume& volume, const Received& received) {
  const bool unclean = volume.checkpoint && !volume.checkpoint->clean;
  if (volume.role != ReplicaRole::kSecondary || !unclean || !received) return;
  const Group checkpoint = volume.checkpoint->progress.position.group;
  if (*received && (*received)->position.group >= checkpoint) return;
  Note(volume.problem, *received ? "the own journal has lost its end" : "the own journal is gone");
  Note(volume.problem, "the copy isn't shown before it was redone from the relay's");
}

LocalVolume ReadVolume(const StateFolder& folder, const VolumeName& name, ReplicaRole role) {
  LocalVolume volume{name.value, role, {}, {}};
  const std::string path = folder.Checkpoint(name);
  auto checkpoint = ReadCheckpoint(path);
  if (checkpoint) volume.checkpoint = *checkpoint;
  if (!checkpoint) Note(volume.problem, checkpoint.error().Text());
  const auto divergence = ReadDivergence(path);
  if (!divergence) Note(volume.problem, divergence.error().Text());
  if (divergence && *divergence) Note(volume.problem, **divergence);
  return volume;
}

LocalNode ReadNode(const Config& config, const NodeName& name, const NodeConfig& settings) {
  LocalNode node{.name = name.value,
                 .folder = settings.state,
                 .running = false,
                 .account = {},
                 .volumes = {},
                 .problem = {}};
  const StateFolder folder(node.folder);
  node.running = IsServed(settings);
  const Received received = ReceivedIn(folder.Journal());
  ReadAccount(node, received);
  std::map<VolumeName, NodeName> primaries;
  for (const auto& [volume, known] : config.volumes) primaries[volume] = known.primary;
  const auto facts = ReadKnownRoles(folder.Roles());
  if (!facts) Note(node.problem, facts.error().Text());
  if (facts) {
    for (const VolumeFact& fact : *facts) primaries[fact.volume] = fact.primary;
  }
  for (const auto& held : settings.volumes) {
    const bool is_primary = primaries[held.first] == name;
    const ReplicaRole role = is_primary ? ReplicaRole::kPrimary : ReplicaRole::kSecondary;
    node.volumes.push_back(ReadVolume(folder, held.first, role));
    NoteLostJournal(node.volumes.back(), received);
  }
  return node;
}

}  // namespace

bool IsServed(const NodeConfig& node) { return LockHolder(StateFolder(node.state).Lock()).has_value(); }

std::vector<LocalNode> ReadLocalNodes(const Config& config) {
  std::vector<LocalNode> nodes;
  for (const auto& [name, settings] : config.nodes) {
    struct stat info {};
    if (::stat(StateFolder(settings.state).Lock().c_str(), &info) != 0) continue;
    nodes.push_back(ReadNode(config, name, settings));
  }
  return nodes;
}

}  // namespace hawser::cli
