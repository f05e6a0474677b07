#include "volume/recovery/checkpoint_place.h"

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

}  // namespace hawser
