// Where a volume's checkpoint is kept, and the notes that it has diverged or where it differs: files in the
// node's state folder, or what the simulation has in their stead.
#pragma once

#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/ids.h"
#include "common/base/result.h"
#include "volume/store/checkpoint.h"

namespace hawser {

// What was written survives a power cut when the call returns.
class CheckpointPlace {
 public:
  virtual ~CheckpointPlace() = default;

  // nullopt: there is none. EBADMSG: it can't be understood.
  virtual Result<std::optional<Checkpoint>> Read() const = 0;
  virtual Status Write(const Checkpoint& checkpoint) = 0;

  // See divergence_note.h.
  virtual Result<std::optional<std::string>> ReadDivergence() const = 0;
  virtual Status NoteDivergence(const std::string& problem) = 0;

  // At which paths the store differed (differences.h) when it stood at a sequence: encoded; empty: nowhere.
  // They are written before the checkpoint `at`; those of `last`, the checkpoint that there is, are kept, for
  // the next start may still begin with that one. EBADMSG: they can't be understood.
  virtual Result<Buffer> ReadDifferences(Sequence at) const = 0;
  virtual Status WriteDifferences(Sequence last, Sequence at, Bytes encoded) = 0;
};

// The checkpoint in the file `path`, whose folder exists, the note beside it.
class CheckpointFile : public CheckpointPlace {
 public:
  explicit CheckpointFile(std::string path) : path_(std::move(path)) {}

  Result<std::optional<Checkpoint>> Read() const override;
  Status Write(const Checkpoint& checkpoint) override;
  Result<std::optional<std::string>> ReadDivergence() const override;
  Status NoteDivergence(const std::string& problem) override;
  Result<Buffer> ReadDifferences(Sequence at) const override;
  Status WriteDifferences(Sequence last, Sequence at, Bytes encoded) override;

  // Takes both away: the store begins anew. Durable.
  Status Forget();

 private:
  const std::string path_;
};

}  // namespace hawser
