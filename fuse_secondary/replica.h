// A node's secondary side: the copies that follow the relay's stream (DESIGN section 7).
//
// A node receives the whole consistency group's stream into one journal of its own and applies from there the
// records of the volumes that it holds as secondary; records of other volumes only count for positions. Three
// threads that share nothing but a ReplicaBoard: receiver (stream and catch-up into the own journal),
// replayer (own journal into the stores), checkpointer. Whatever may pass (relay away, disk full) is retried
// by itself for ever; whatever may not (a divergence, a position that the relay has dropped) is said in the
// report.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/config/config.h"
#include "common/journal/scrubber.h"
#include "common/net/context.h"
#include "common/net/limits.h"
#include "common/net/messages.h"
#include "fuse_secondary/recovery.h"
#include "volume/mount/volume.h"

namespace hawser {

struct ReplicaVolume {
  Volume* volume = nullptr;     // outlives the replica
  std::string checkpoint_path;  // its folder exists
};

// Told what has changed of a volume: what the kernel keeps of that is to be given up.
// Called in the replayer's thread, as soon as readers can see the change, outside the gate, and before the
// applied position is reported.
using OnApplied = std::function<void(Volume&, const Stale&)>;

struct ReplicaOptions {
  OnApplied on_applied;
  // Who pulls, at present: asked in the receiver's thread. Unset: the node, in no group and session.
  std::function<Sender()> sender;

  // A batch: what is applied between two looks at readers. It ends at whichever comes first, at a group
  // boundary.
  std::uint64_t batch_bytes = kMiB;
  std::size_t batch_groups = 64;
  std::chrono::milliseconds batch_time{20};
  std::size_t apply_threads = 4;

  std::uint64_t pull_bytes = kMaxPullBytes;
  int stream_queue = 256;  // messages of the stream kept while pulling
  std::uint64_t segment_bytes = 64 * kMiB;

  std::chrono::milliseconds checkpoint_every{2000};
  std::uint64_t checkpoint_bytes = 64 * kMiB;

  ScrubPace scrub;  // of the own journal

  std::chrono::milliseconds disconnected_after{2000};  // without any word of the relay
  std::chrono::milliseconds live_within{1000};         // lag up to which a replica is called live
  std::chrono::milliseconds retry_every{1000};         // after a failure that may pass

  // For a start: waits for the relay's journal, which the own one can't stand in for (recovery.h).
  std::function<Result<RelaysJournal>(const std::vector<VolumeName>&, const std::atomic<bool>* cancel)>
      relays_journal;
  // After which position that begins, if the relay has answered already.
  std::optional<Progress> relays_oldest;
  // From the beginning; a start that brings stores to a whole state does so all the same.
  bool paused = false;
  // Gives up a start that takes long; checked between batches.
  const std::atomic<bool>* cancel = nullptr;
};

struct ReplicaReport {
  Progress head;      // newest that was heard of
  Progress received;  // durable in the own journal
  bool connected = false;
  bool stands = false;  // replay is paused, and at a group boundary
  // All in the role of a secondary. A stalled one goes on by itself once what is in the way is mended.
  std::vector<VolumeReport> volumes;
  std::map<VolumeName, std::string> unshown;  // nobody may look at these, and why: as ReplicaBoard's
};

class Replica {
 public:
  // Brings the stores from their checkpoints to a state after some whole group (redo after an unclean end),
  // then starts the threads; the volumes may be shown when this returns, but for those that Report() names.
  // Needs no relay, unless after an unclean end the own journal is gone: recovery.h. If a store doesn't take
  // a record now and may later, the start goes on behind this, and nothing is received meanwhile; Report()
  // says so. Nothing but the replica may change the stores from here on. `state_folder` is made if missing;
  // the own journal is in its folder "journal". Errors: the own journal or a checkpoint is damaged or in use,
  // a store can't be written; ECANCELED.
  static Result<std::unique_ptr<Replica>> Start(NetContext& context, const RelayConfig& relay,
                                                const NodeName& node, const std::string& state_folder,
                                                const std::vector<ReplicaVolume>& volumes,
                                                const ReplicaOptions& options = {});

  // As a crash: threads end, nothing more is flushed. What was applied is redone at the next start.
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // The orderly end: receiving stops, the batch at hand is finished, stores flushed, clean checkpoints
  // written. The first error if some volume could not be; that one is redone at the next start. Once.
  Status Stop();

  // Ends the threads and leaves all as it stands: nothing more is received, applied or checkpointed. Any
  // thread, also at the same time as Stop().
  void Halt();

  // Any thread.
  ReplicaReport Report() const;

  // Paused, replay stands once it is at a group boundary; receiving goes on. Any thread.
  void SetPaused(bool paused);

 private:
  struct Parts;
  explicit Replica(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace hawser
