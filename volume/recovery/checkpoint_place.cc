#include "volume/recovery/checkpoint_place.h"

#include <unistd.h>

#include <filesystem>

#include "common/base/files.h"
#include "common/base/state_folder.h"
#include "common/record/pack.h"
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
  for (const std::string& path : {path_, DifferencesPath(path_), DivergencePath(path_)}) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoError("cannot remove", path);
    HAWSER_TRY(SyncDirectory(std::filesystem::path(path).parent_path()));
  }
  return {};
}

// [version, [sequence, differences], [sequence, differences]]
Result<Buffer> CheckpointFile::ReadDifferences(Sequence at) const {
  HAWSER_ASSIGN(const auto text, ReadFileIfThere(DifferencesPath(path_)));
  if (!text) return Buffer();
  Unpacker in(AsBytes(*text));
  in.Array("differences", 3);
  if (in.Uint("version") != 1) in.Fail("version", "is unknown");
  Buffer found;
  for (int i = 0; i < 2; ++i) {
    in.Array("differences of", 2);
    const Sequence sequence(in.Uint("sequence"));
    const Bytes encoded = in.Binary("differences");
    if (sequence == at) found.assign(encoded.begin(), encoded.end());
  }
  if (const Status read = in.Finish(); !read)
    return Error{EBADMSG, "'" + DifferencesPath(path_) + "' can't be understood (" + read.error().message +
                              "); remove it and '" + path_ +
                              "': all that the journal has is redone then, or the volume needs a sync"};
  return found;
}

Status CheckpointFile::WriteDifferences(Sequence last, Sequence at, Bytes encoded) {
  HAWSER_ASSIGN(const Buffer before, ReadDifferences(last));
  Packer out;
  out.Array(3).Uint(1);
  out.Array(2).Uint(last.value).Binary(last == at ? Bytes(encoded) : Bytes(before));
  out.Array(2).Uint(at.value).Binary(encoded);
  const Buffer text = out.Finish();
  return WriteFileAtomically(DifferencesPath(path_), std::string(AsText(text)));
}

}  // namespace hawser
