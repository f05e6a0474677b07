// Where a volume's checkpoint is kept, and the note that it has diverged: files in the node's state folder,
// or what the simulation has in their stead.
#pragma once

#include <optional>
#include <string>

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
};

// The checkpoint in the file `path`, whose folder exists, the note beside it.
class CheckpointFile : public CheckpointPlace {
 public:
  explicit CheckpointFile(std::string path) : path_(std::move(path)) {}

  Result<std::optional<Checkpoint>> Read() const override;
  Status Write(const Checkpoint& checkpoint) override;
  Result<std::optional<std::string>> ReadDivergence() const override;
  Status NoteDivergence(const std::string& problem) override;

  // Takes both away: the store begins anew. Durable.
  Status Forget();

 private:
  const std::string path_;
};

}  // namespace hawser
