// A volume on the node that is its primary: the funnel that its changes go through, and the checkpoints of
// its store; from the recovery at the beginning to the last checkpoint at the end. What calls see of it, by
// their leases, is the funnel.
//
// Begin and Open are called by whoever starts the volume, KeepCheckpoint by the checkpointer, the others by
// any thread; End last, and once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/net/context.h"
#include "common/net/messages.h"
#include "fuse_primary/funnel.h"
#include "fuse_primary/shipper.h"
#include "node/start_watch.h"
#include "volume/mount/volume.h"
#include "volume/recovery/checkpoint_keeper.h"
#include "volume/recovery/differences.h"

namespace hawser {

class PrimaryRole {
 public:
  // All outlive the role.
  struct Parts {
    Volume& volume;
    const VolumeConfig& config;
    CheckpointPlace& checkpoint;
    const std::string& group;  // the consistency group's name
    NetContext& context;
    const std::string& control_endpoint;
    Shipper& shipper;
  };

  // Brings the store up to the relay's head. Waits for the relay meanwhile.
  static Result<std::unique_ptr<PrimaryRole>> Begin(const Parts& parts, const Welcome& welcome,
                                                    Generation generation, OnSetback on_setback,
                                                    StartWatch& watch);

  std::shared_ptr<Role> calls() const { return funnel_; }

  // Before calls are let in: what every volume begins with is journaled, its root, and a checkpoint is
  // written, which says that callers are about to change the store. Waits for the relay meanwhile. After an
  // error only End() is left to do: who tries again does it again.
  Status Open(StartWatch& watch);

  // Changes are refused with `error` from here on; those under way end.
  void StopChanges(const Error& error) { funnel_->StopChanges(error); }
  void Isolate(bool isolated) { funnel_->Isolate(isolated); }
  // No more changes begin while it is held for an attempt at a promotion; 0: they go on.
  void HoldFor(std::uint64_t attempt) { funnel_->HoldFor(attempt); }

  // Flushes the store and records how far it is, if it has got any further.
  Status KeepCheckpoint();
  void HeadKnown(const Progress& head);

  // Its generation, how far the store is, and what is wrong with its disk.
  void Report(VolumeReport& report) const;

  // No more changes; the last checkpoint, if `in_order`: nothing has kept the store from being what the
  // journal says. Otherwise, and if it was never opened, the last one that was written before stands. Once;
  // again it does nothing.
  Status End(bool in_order);

 private:
  PrimaryRole(const Parts& parts, Generation generation, const Progress& checkpoint, bool first_start)
      : parts_(parts),
        generation_(generation),
        checkpoints_(parts.checkpoint, checkpoint),
        first_start_(first_start) {}

  Status MakeUp(StartWatch& watch);
  Status JournalAll(StartWatch& watch);
  Status WriteCheckpoint(Beyond beyond);

  const Parts parts_;
  const Generation generation_;
  CheckpointKeeper checkpoints_;
  const bool first_start_;  // there is no checkpoint yet
  bool opened_ = false;
  bool ended_ = false;
  std::shared_ptr<Funnel> funnel_;
  std::vector<Difference> refused_;  // records that the store didn't take in recovery
};

}  // namespace hawser
