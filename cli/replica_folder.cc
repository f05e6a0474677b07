#include "cli/replica_folder.h"

#include <filesystem>

#include "common/base/state_folder.h"
#include "common/journal/inspect.h"
#include "common/journal/journal.h"
#include "volume/store/checkpoint.h"

namespace hawser::cli {
namespace {

// What has a '/' is a folder; a word is a node's name, or, if there is no such node, a folder here.
Result<std::string> FolderOf(const Session& session, const std::string& text) {
  if (text.find('/') != std::string::npos) return text;
  std::error_code problem;
  const bool is_folder = std::filesystem::is_directory(text, problem);
  const auto config = LoadConfig(session);
  if (!config && is_folder) return text;
  if (!config) return config.error();
  const auto node = FindNode(*config, text);
  if (node) return (*node)->state;
  if (is_folder) return text;
  return node.error();
}

bool HoldsJournal(const std::string& folder) {
  std::error_code problem;
  if (!std::filesystem::is_directory(folder, problem)) return false;
  const auto exists = JournalExists(folder);
  return exists && *exists;
}

Status ReadEnd(ReplicaStand& stand) {
  const auto segments = ListJournal(stand.journal);
  if (!segments) return CannotDo(segments.error(), "'hawser journal check' says more");
  if (segments->empty()) return CannotDo("the journal in '" + stand.journal + "' holds no segment");
  if (!segments->back().problem.empty()) {
    return CannotDo("the journal in '" + stand.journal + "' is damaged: " + segments->back().problem +
                    "; 'hawser journal check' says more");
  }
  stand.end = segments->back().end;
  return {};
}

Status ReadCheckpoints(const std::string& folder, ReplicaStand& stand) {
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator(folder, problem)) {
    const VolumeName volume(entry.path().filename().string());
    const auto checkpoint = ReadCheckpoint(StateFolder(folder).Checkpoint(volume));
    if (!checkpoint && checkpoint.error().code == ENOTDIR) continue;
    if (!checkpoint) return CannotDo(checkpoint.error(), "it can't be told where the replica stands");
    if (*checkpoint) stand.checkpoints[volume] = (*checkpoint)->progress;
  }
  if (!stand.checkpoints.empty()) return {};
  return CannotDo("there is neither a journal nor a checkpoint in '" + folder +
                  "'; name a node of the config, its state folder, or a journal's folder");
}

}  // namespace

Result<ReplicaStand> ReadReplica(const Session& session, const std::string& text) {
  ReplicaStand stand{.name = text, .journal = {}, .end = {}, .checkpoints = {}};
  HAWSER_ASSIGN(const std::string folder, FolderOf(session, text));
  for (const std::string& journal : {folder, StateFolder(folder).Journal()}) {
    if (!HoldsJournal(journal)) continue;
    stand.journal = journal;
    HAWSER_TRY(ReadEnd(stand));
    return stand;
  }
  HAWSER_TRY(ReadCheckpoints(folder, stand));
  return stand;
}

}  // namespace hawser::cli
