// A volume's checkpoints: the real CheckpointKeeper, with simulated time between the two halves of a flush,
// over a simulated state folder.
#pragma once

#include <functional>
#include <string_view>

#include "tests/sim/machine.h"
#include "volume/recovery/checkpoint_keeper.h"

namespace hawser::sim {

// The state folder of a process; what it writes after its end has no effect.
class StateFolder : public CheckpointPlace {
 public:
  StateFolder(World& world, LifePtr life, VolumeDisk& disk)
      : world_(world), life_(std::move(life)), disk_(disk) {}

  // A fault: from here on it says that each end was clean.
  void CallCleanAnyhow() { is_clean_anyhow_ = true; }

  Result<std::optional<Checkpoint>> Read() const override;
  Status Write(const Checkpoint& checkpoint) override;
  // A divergence ends a run: no start comes after it.
  Result<std::optional<std::string>> ReadDivergence() const override { return std::optional<std::string>(); }
  Status NoteDivergence(const std::string&) override { return {}; }
  Result<Buffer> ReadDifferences(Sequence at) const override;
  Status WriteDifferences(Sequence last, Sequence at, Bytes encoded) override;

 private:
  World& world_;
  const LifePtr life_;
  VolumeDisk& disk_;
  bool is_clean_anyhow_ = false;
};

class Checkpoints {
 public:
  // `last`: what the recovery began with. `crash_point`: as FlushAndKeep passes it.
  Checkpoints(World& world, LifePtr life, VolumeDisk& disk, const Progress& last,
              std::string_view crash_point)
      : world_(world),
        life_(life),
        disk_(disk),
        folder_(world, std::move(life), disk),
        keeper_(folder_, last, [&world] { return 1 + world.rng().Below(UINT64_MAX - 1); }),
        crash_point_(crash_point) {}

  bool due(const Progress& applied) const { return keeper_.due(applied); }
  Progress last() const { return keeper_.last(); }

  // Takes its time, then tells what came of it.
  void Make(const Progress& applied, Beyond beyond, std::function<void(Status)> done);
  // With the end of the process: at once.
  Status MakeLast(const Progress& applied, Beyond beyond);

 private:
  Status EndFlush(std::size_t count);
  Status End(const CheckpointKeeper::Begun& begun, std::size_t count);

  World& world_;
  const LifePtr life_;
  VolumeDisk& disk_;
  StateFolder folder_;
  CheckpointKeeper keeper_;
  const std::string_view crash_point_;
};

}  // namespace hawser::sim
