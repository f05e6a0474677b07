// The roles of a node's volumes, and what serves them: given at the start, and changed in place while it runs
// (DESIGN section 8).
//
// There is one replica for all copies of the node, and it holds the same ones from its beginning to its end.
// So a change of roles ends it in order, gives the volumes their new roles, and begins another one, by the
// same recovery as a start: each store goes on from its checkpoint, and nothing is copied. The mounts stay,
// and calls are served but for the volume and the moment of the change.
//
// Threads: who starts the node calls the functions of the start, one after the other. From Mount() on a
// thread of this class's changes roles, another one keeps the checkpoints of primaries; Heard() and Report()
// are the reporter's, everything else is for any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/periodic_thread.h"
#include "common/config/config.h"
#include "common/net/context.h"
#include "common/net/messages.h"
#include "fuse_primary/known_head.h"
#include "fuse_primary/shipper.h"
#include "fuse_secondary/replica.h"
#include "node/hosted_volume.h"
#include "node/start_watch.h"

namespace hawser {

class Roles {
 public:
  // All outlive it.
  struct Parts {
    const Config& config;
    const NodeName& node;
    NetContext& context;
    KnownHead& known;
    // Says hello for this process: a session begins with the first, the same is answered anew with later
    // ones. No deadline: waits for the relay.
    std::function<Result<Welcome>(std::optional<Deadline>, const std::atomic<bool>* cancel)> hello;
    std::function<Sender()> sender;
  };

  explicit Roles(const Parts& parts);
  ~Roles();  // Stop() comes before

  // ---- the start

  // Opens the stores; of `new_stores` each has to be empty.
  Status Open(const std::set<VolumeName>& new_stores);
  // Who was primary as this node last heard.
  void Remember(const std::vector<VolumeFact>& facts);
  // Whether a volume can't be shown without the relay's word.
  bool needs_relay() const;
  // The first roles, by what the relay said; nullopt: it isn't waited for. Waits for it meanwhile, if a
  // volume needs it.
  Status Begin(const std::optional<Welcome>& welcome, StartWatch& watch);
  // Mounts all; from here on roles follow what is heard.
  Status Mount();

  // ---- while it runs

  // First who is primary: the head may hold what another one has written. `asked`: when the report was made
  // that it answers.
  void Heard(const Overview& overview, SteadyClock::time_point asked);
  // Something that ends the node's right to change its volumes.
  void Suffer(const Setback& setback);
  // All volumes, how far they are and what is wrong with them; adds them.
  void Report(Report& report) const;

  // Nothing is received, applied or counted as applied any more: the node's session has been ended.
  void Halt();

  // Copies pause at the next group boundary, or go on. Why not; empty: they do.
  std::string Pause(bool pause);
  // The replica's word; nullopt: there are no copies, or they are just changing their roles.
  std::optional<ReplicaReport> Copies() const;

  // What is under way to the relay; null: this node has never been primary in its session.
  std::shared_ptr<Shipper> shipper() const;

  std::vector<std::string> mounts() const;
  bool ended() const;  // all mounts are gone
  const std::vector<std::unique_ptr<HostedVolume>>& volumes() const { return volumes_; }

  // ---- the end

  // No new calls, those in flight end, the last checkpoints are written. Idempotent.
  Status Stop();
  // Then, when nobody asks any more: what is left goes.
  void Clear();

 private:
  HostedVolume* Find(const VolumeName& volume) const;
  std::shared_ptr<Replica> replica() const;
  bool halted() const;

  struct Change {
    HostedVolume* volume = nullptr;
    RoleChange to;
  };
  std::vector<Change> Due() const;
  void Settle();
  void ShowOrRefuse();
  Status ChangeRoles(const std::vector<Change>& changes);
  Status Become(const Change& change, const Welcome& welcome, StartWatch& watch);
  Shipper& ShipperOf(const Welcome& welcome);
  Status BeginReplica(const std::optional<Welcome>& welcome, StartWatch& watch);
  Status EndReplica();
  Result<RelaysJournal> AwaitRelaysJournal(const std::optional<Welcome>& known, StartWatch& watch,
                                           const std::vector<VolumeName>& copies,
                                           const std::atomic<bool>* cancel);
  void KeepCheckpoints();

  const Parts parts_;
  const NodeConfig own_;
  std::vector<std::unique_ptr<HostedVolume>> volumes_;

  mutable Mutex mutex_;
  std::shared_ptr<Shipper> shipper_ HAWSER_GUARDED_BY(mutex_);
  std::shared_ptr<Replica> replica_ HAWSER_GUARDED_BY(mutex_);
  bool halted_ HAWSER_GUARDED_BY(mutex_) = false;
  std::string problem_ HAWSER_GUARDED_BY(mutex_);  // why a change of roles has to be tried again

  std::atomic<SteadyClock::time_point> heard_{};  // the relay, at least until then
  std::atomic<bool> stopping_{false};
  StartWatch changing_{&stopping_};
  bool replica_due_ = false;  // a change has ended it, and the next hasn't begun yet
  Deadline try_again_;        // a change that has failed
  std::optional<PeriodicThread> checkpointer_;
  std::optional<PeriodicThread> changer_;
};

}  // namespace hawser
