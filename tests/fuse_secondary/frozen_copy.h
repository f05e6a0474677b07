// A copy on a real store in which nodes can be frozen (chattr +i): what would change them is refused. It
// follows a journal as the replayer does, and recovers as a start does.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/volume/store/author.h"
#include "volume/recovery/recovery.h"

namespace hawser::test {

// false: not here, or not by this user.
bool SetFrozen(const std::string& path, bool frozen);

// What a checkpoint says.
class KeptPlace : public CheckpointPlace {
 public:
  Result<std::optional<Checkpoint>> Read() const override { return std::optional(checkpoint); }
  Status Write(const Checkpoint&) override { return {}; }
  Result<std::optional<std::string>> ReadDivergence() const override { return std::optional<std::string>(); }
  Status NoteDivergence(const std::string&) override { return {}; }
  Result<Buffer> ReadDifferences(Sequence) const override { return differences; }
  Status WriteDifferences(Sequence, Sequence, Bytes) override { return {}; }

  Checkpoint checkpoint;
  Buffer differences;
};

class FrozenCopy {
 public:
  // Each of the records is a group; they outlive it.
  FrozenCopy(std::string folder, const std::vector<Written>& records, bool value_ids = true);
  ~FrozenCopy() { ThawAll(); }
  FrozenCopy(const FrozenCopy&) = delete;
  FrozenCopy& operator=(const FrozenCopy&) = delete;

  const std::string& folder() const { return folder_; }
  const Differences& differences() const { return stand_.differences; }
  Store& store() { return *store_; }

  void Freeze(const std::string& path);
  void FreezeAtRandom(std::mt19937_64& random, int one_in);
  void ThawAll();

  // Up to and with this group. Errors: it has diverged, or waits.
  Status Replay(std::size_t last);
  // Where it stands is what the next recovery begins with.
  void KeepCheckpoint(bool clean = false);
  // A start, with a journal that ends with group `last`. `killed_at`: killed before that group.
  Status Recover(std::size_t last, std::optional<std::size_t> killed_at = {});

  // What differs from the tree `real`, isn't named, and doesn't just follow from what is. `may_have_left`: a
  // redo may have left something that has no place.
  std::vector<std::string> Unnamed(const std::string& real, bool may_have_left) const;
  std::string NamedText() const;

 private:
  bool IsNamed(const std::string& real, const std::string& path) const;

  const std::string folder_;
  std::unique_ptr<Store> store_;
  std::vector<ReplayGroup> groups_;
  KeptPlace place_;
  VolumeStand stand_;
  std::set<FileId> were_frozen_;
};

}  // namespace hawser::test
