// What a replica does before its volumes are shown: the recovery of every role (volume/recovery/recovery.h).
//
// From the own journal, with no relay. But if that one is gone, or has lost its end, and a store's end was
// unclean, nobody knows what the store holds: then from the relay's, as a primary does, up to its head. So
// also, where the relay is there, for a volume that the own journal no longer reaches back to and the relay's
// does, as one that the node has only just got. The own journal begins anew behind that, once the stores are
// flushed and have checkpoints there; a start that is cut off before finds it as it was, and does the same
// again.
//
// No threads yet, no sockets. RecoverCopies waits for the relay; the simulation (tests/sim) feeds what that
// says to a CopyRecovery.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "fuse_secondary/own_journal.h"
#include "volume/recovery/recovery.h"
#include "volume/recovery/run_recovery.h"

namespace hawser {

struct Recovered {
  Progress begin;  // replay goes on after this
  // A volume that can't go on (diverged, needs a sync) is no error: it is marked here.
  std::vector<VolumeStand> volumes;
  // A store doesn't take a record now, and may later (no room, no descriptors, an I/O error): no copy is
  // whole before all of it was done again, and got further.
  bool waits = false;
};

// One thread.
class CopyRecovery {
 public:
  // The journal outlives it.
  CopyRecovery(OwnJournal& journal, std::vector<RecoveryVolume> volumes);

  // First: how far the volumes are, and what the own journal has. Errors: damage, I/O.
  Status Open();
  // Whether a store may hold what the own journal doesn't have.
  bool needs_relay() const { return needs_relay_; }
  // Whether a volume stands before the own journal, and not before the relay's, which begins after `oldest`.
  bool GainsFromRelay(const Progress& oldest) const;

  // Then from the own journal, to the end; what it can't tell of needs a sync. `batch_bytes`: what is read at
  // a time. ECANCELED (`cancel` may be null).
  Status RecoverFromOwn(std::uint64_t batch_bytes, const std::atomic<bool>* cancel);
  // Or from the relay's: core() is to be fed, and when it wants nothing more, the active volumes are to get
  // checkpoints where they stand.
  Status BeginFromRelay(RecoveryJournal relays);
  Recovery& core() { return core_; }

  // Last. The own journal leads on from there, or there is none yet and it begins with the relay's.
  Result<Recovered> End();
  // Instead, after an error: if that may pass, what is to be said of the volumes meanwhile.
  Result<Recovered> Waiting(const Error& error) const;

 private:
  void Begun() { begun_ = core_.stands(); }

  OwnJournal& journal_;
  Recovery core_;
  std::vector<VolumeStand> begun_;  // as they were before anything was changed
  bool needs_relay_ = false;
  bool from_relay_ = false;
};

// The relay's journal, for who waits for it.
struct RelaysJournal {
  RecoveryJournal known;
  std::unique_ptr<RecordSource> source;
};

struct CopyRecoveryCalls {
  // Waits for the relay. Errors: ECANCELED, or why it can't be had. `volumes` outlives the source. Unset:
  // none is to be had, and volumes that take it need a sync.
  std::function<Result<RelaysJournal>(const std::vector<VolumeName>& volumes,
                                      const std::atomic<bool>* cancel)>
      relays_journal;
  // After which position the relay's journal begins, if the relay has answered already.
  std::optional<Progress> relays_oldest;
  // Flushes the store of a volume, by its place in the list, and writes a checkpoint where it stands.
  std::function<Status(std::size_t volume, const VolumeStand& stand)> checkpoint;
};

// All of it. Errors also of the source and the calls.
Result<Recovered> RecoverCopies(OwnJournal& journal, std::vector<RecoveryVolume> volumes,
                                std::uint64_t batch_bytes, const CopyRecoveryCalls& calls,
                                const std::atomic<bool>* cancel);

}  // namespace hawser
