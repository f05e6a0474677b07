// A volume on this node, with its mount and all that belongs to its role.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/mutex.h"
#include "common/config/config.h"
#include "common/net/messages.h"
#include "fuse_primary/funnel.h"
#include "fuse_primary/shipper.h"
#include "volume/mount/operations.h"
#include "volume/mount/session.h"
#include "volume/mount/volume.h"
#include "volume/recovery/checkpoint_keeper.h"

namespace hawser {

class HostedVolume {
 public:
  // Opens the store. `state`: the node's state folder.
  static Result<std::unique_ptr<HostedVolume>> Open(const Config& config, const VolumeName& name,
                                                    const ReplicaConfig& replica, const std::string& state);

  Volume& volume() { return *volume_; }
  const VolumeName& name() const { return volume_->name(); }
  const std::string& checkpoint_path() const { return checkpoint_path_; }
  const std::string& mount_path() const { return replica_.mount; }

  // Becomes primary in `generation`: brings the store up to the relay's head, then takes calls.
  Status BecomePrimary(NetContext& context, Shipper& shipper, const Welcome& welcome, Generation generation,
                       const std::atomic<bool>* cancel);
  // Becomes secondary; the node's replica changes the store.
  Status BecomeSecondary();
  bool primary() const { return funnel_ != nullptr; }

  // Shows the volume. The role is set.
  Status Mount();
  void Invalidate(const std::vector<NodeId>& stale);  // what the kernel keeps of them is no longer true
  bool mount_ended() const;

  // As primary: flushes the store and records how far it is, if it has got any further.
  Status KeepCheckpoint();
  void HeadKnown(const Progress& head);
  VolumeReport Report() const;  // as primary

  // No new calls; those in flight end. As primary, the checkpoint is written.
  Status Stop();

 private:
  HostedVolume(const Config& config, const VolumeName& name, const ReplicaConfig& replica);

  Status TakeRole(std::shared_ptr<Role> role);
  // Brings the store to what the relay has; whether the journal holds nothing of this volume.
  Result<bool> BringForward(NetContext& context, const NodeName& node, const Welcome& welcome,
                            const std::atomic<bool>* cancel);
  Status WriteCheckpoint(Beyond beyond);
  std::shared_ptr<Session> session() const;

  const std::string group_;
  const std::string control_endpoint_;
  const VolumeConfig config_;
  const ReplicaConfig replica_;
  const OperationsOptions operations_;
  std::string checkpoint_path_;
  std::string file_ids_path_;
  std::optional<CheckpointFile> checkpoint_place_;
  std::optional<CheckpointKeeper> checkpoints_;  // as primary
  std::unique_ptr<Volume> volume_;
  std::shared_ptr<Funnel> funnel_;

  mutable Mutex mutex_;
  std::shared_ptr<Session> session_ HAWSER_GUARDED_BY(mutex_);
};

}  // namespace hawser
