#include "volume/recovery/divergence_note.h"

#include <fmt/format.h>

#include "common/base/files.h"
#include "common/base/state_folder.h"

namespace hawser {

std::string DivergenceText(const Error& error, const Position& group) {
  return fmt::format(
      "{}. Somebody has changed the store of this copy, or of the primary; replay of the volume has stopped "
      "before group {} (records up to {}). Repair: let Hawser copy the volume anew, see \"A copy has "
      "diverged\" in "
      "docs/CONSISTENCY.md",
      error.message, group.group.value, group.sequence.value);
}

std::string OriginalDivergenceText(const Error& error, const Position& group) {
  return fmt::format(
      "{}. Somebody has changed the store of this primary behind its mount; it stopped before group {} "
      "(records up to {}). Put that path back as it was and start again; don't empty the store, the journal "
      "may not reach back to its beginning",
      error.message, group.group.value, group.sequence.value);
}

std::string OtherHistoryText(const Position& at, const Position& there) {
  return fmt::format(
      "the store holds group {} of another history (digest {} where {} belongs); it has to be copied anew",
      at.group.value, at.digest.Hex(), there.digest.Hex());
}

Status NoteDivergence(const std::string& checkpoint_path, const std::string& problem) {
  return WriteFileAtomically(DivergencePath(checkpoint_path), problem + "\n");
}

Result<std::optional<std::string>> ReadDivergence(const std::string& checkpoint_path) {
  HAWSER_ASSIGN(auto note, ReadFileIfThere(DivergencePath(checkpoint_path)));
  while (note && note->ends_with('\n')) note->pop_back();
  return note;
}

}  // namespace hawser
