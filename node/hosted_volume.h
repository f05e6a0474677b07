// A volume on this node: its store, its mount, and the role it has at present. What it is to be follows from
// what is learned (RoleMachine); this executes it.
//
// Any thread, where nothing else is said. Facts are taken one at a time. Roles are changed by one thread at a
// time (roles.h), and what the mount looks like to calls with them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/config/config.h"
#include "common/net/messages.h"
#include "fuse_primary/shipper.h"
#include "node/primary_role.h"
#include "node/role_machine.h"
#include "node/start_watch.h"
#include "volume/mount/operations.h"
#include "volume/mount/session.h"
#include "volume/mount/volume.h"
#include "volume/recovery/checkpoint_place.h"

namespace hawser {

class HostedVolume {
 public:
  // Opens the store, which must be the one that the checkpoint is of (volume/store/store_mark.h), or empty if
  // it is said to be new. `self`: this node's name.
  static Result<std::unique_ptr<HostedVolume>> Open(const Config& config, const NodeName& self,
                                                    const VolumeName& name, bool new_store);

  Volume& volume() { return *volume_; }
  const VolumeName& name() const { return volume_->name(); }
  const std::string& checkpoint_path() const { return checkpoint_path_; }
  const std::string& mount_path() const { return replica_.mount; }

  // Something that bears on the volume's role. A primary that may not go on takes no more changes when this
  // returns.
  void Learn(const RoleFact& fact);
  bool needs_relay() const;
  VolumeFact known() const;  // who is primary, as far as is known
  bool secondary() const;    // a copy, as it has a role

  // ---- whoever changes roles

  // The role that it is to get now; the same until it has become that.
  std::optional<RoleChange> Due() const;
  // Where its store stands by the checkpoint, with nothing beyond; an error if that can't be said.
  Result<Progress> CleanAt() const;
  // Becomes primary: brings the store up to the relay's head, which `welcome` tells, then takes calls. After
  // an error it is what it was. Nothing else changes the store meanwhile.
  Status Become(const BecomePrimary& primary, NetContext& context, Shipper& shipper, const Welcome& welcome,
                StartWatch& watch);
  // Becomes secondary: the last checkpoint as primary is written, and the kernel gives up what it kept. From
  // then on the node's replica changes the store. ETIMEDOUT: calls in flight don't end; to be tried again.
  Status Become(const BecomeSecondary& secondary);

  // Instead of becoming primary: the store can't be brought to where the journal is, so the mount answers no
  // call until another node is primary, or this one is started again.
  Status LeaveOut(const Error& why);

  // As secondary, whenever its replica has reported: a copy that may not be looked at, for this reason
  // (empty: it may), answers no call, for what is there would be taken for the volume.
  Status ShowOrRefuse(const std::string& why_not);

  // Mounts. The volume has a role.
  Status Mount();
  void Invalidate(const Stale& stale);  // tells the kernel
  bool mount_ended() const;             // nobody can call any more

  // What the mount adds to a report: that programs don't see it any more.
  void ReportMount(VolumeReport& report) const;

  // As primary; else they do nothing. KeepCheckpoint one at a time, and not while the role is changed.
  Status KeepCheckpoint();
  void HeadKnown(const Progress& head);
  void HoldFor(std::uint64_t attempt);  // see PrimaryRole

  // As primary: whether the relay has been out of reach for so long that another node may be it. Where the
  // config says so, no call is answered then, nor by what the kernel keeps.
  void Isolate(bool isolated);

  // nullopt: its replica speaks for it.
  std::optional<VolumeReport> Report() const;
  // While it gets its role, for this reason.
  VolumeReport ReportStart(ReplicaRole role, const std::string& why) const;

  // No new calls; those in flight end. As primary, the checkpoint is written.
  Status Stop();

 private:
  HostedVolume(const Config& config, const NodeName& self, const VolumeName& name);

  Result<std::unique_ptr<Store>> OpenStore(const VolumeName& name) const;
  Result<std::unique_ptr<Store>> OpenNewStore(const VolumeName& name);
  Status TakeRole(std::shared_ptr<Role> role);
  std::shared_ptr<PrimaryRole> primary() const;
  bool in_order() const;
  VolumeReport ReportCheckpoint(ReplicaRole role, ReplicaState state, std::string problem) const;
  std::shared_ptr<Session> session() const;
  std::optional<RoleMachine::Trouble> trouble() const;

  const std::string group_;
  const NodeName self_;
  const std::string control_endpoint_;
  const VolumeConfig config_;
  const ReplicaConfig replica_;
  const OperationsOptions operations_;
  const std::string folder_;  // in the state folder
  const std::string checkpoint_path_;
  CheckpointFile checkpoint_;
  std::unique_ptr<Volume> volume_;
  // Of who changes roles.
  bool refusing_ = false;  // as secondary
  bool isolated_ = false;  // as primary

  mutable Mutex mutex_;
  RoleMachine machine_ HAWSER_GUARDED_BY(mutex_);
  std::shared_ptr<PrimaryRole> primary_ HAWSER_GUARDED_BY(mutex_);
  std::optional<VolumeReport> left_out_ HAWSER_GUARDED_BY(mutex_);
  std::shared_ptr<Session> session_ HAWSER_GUARDED_BY(mutex_);
};

}  // namespace hawser
