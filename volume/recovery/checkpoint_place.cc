#include "volume/recovery/checkpoint_place.h"

#include <unistd.h>

#include <filesystem>

#include "common/base/files.h"
#include "common/base/state_folder.h"
#include "volume/recovery/divergence_note.h"

namespace hawser {

Result<std::optional<Checkpoint>> CheckpointFile::Read() const { return ReadCheckpoint(path_); }

Status CheckpointFile::Write(const Checkpoint& checkpoint) { return WriteCheckpoint(path_, checkpoint); }

Result<std::optional<std::string>> CheckpointFile::ReadDivergence() const {
  return hawser::ReadDivergence(path_);
}

Status CheckpointFile::NoteDivergence(const std::string& problem) {
  return hawser::NoteDivergence(path_, problem);
}

Status CheckpointFile::Forget() {
  // The note last: while it is there the volume isn't shown.
  for (const std::string& path : {path_, DivergencePath(path_)}) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoError("cannot remove", path);
    HAWSER_TRY(SyncDirectory(std::filesystem::path(path).parent_path()));
  }
  return {};
}

}  // namespace hawser
