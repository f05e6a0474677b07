// The primary's role: the one funnel through which every change of a volume goes (DESIGN sections 2 and 6).
//
// A call waits its turn (ConflictQueue), decides its record, puts it into the node's outbox (Shipper), waits
// for the relay's answer, applies the record to the store and returns. Log first, then apply: the store is
// never ahead of the journal.
//
// All that belongs to a record on its way is one object, the journey: its turn, its place in the applied
// mark, record, data, open file. The caller finishes it; a caller that stops waiting while the outcome is
// unknown (it is being killed, or `on_relay_loss: fail` has run out) just leaves, and the shipper's thread
// finishes it when the relay has answered. Until then it keeps its turn: nothing that conflicts can pass.
//
// A record that the store refuses is made up for in a thread of the funnel's, under the same turn: it may
// wait for the relay for however long, which neither a caller nor the shipper may.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "common/base/mutex.h"
#include "common/base/serial_thread.h"
#include "common/config/config.h"
#include "fuse_primary/applied_mark.h"
#include "fuse_primary/conflict_queue.h"
#include "fuse_primary/setback.h"
#include "fuse_primary/shipper.h"
#include "volume/mount/role.h"
#include "volume/mount/volume.h"

namespace hawser {

class Funnel : public Role {
 public:
  // `volume` and `shipper` outlive the funnel. `applied`: what the store holds already.
  Funnel(Volume& volume, Shipper& shipper, const VolumeConfig& config, Generation generation,
         const Progress& applied, OnSetback on_setback);
  ~Funnel() override;

  const Error* refuses() const override { return isolated_ ? &kIsolated : nullptr; }
  bool writable() const override { return true; }
  CachePolicy cache() const override;
  Status Mutate(const Mutation& mutation) override;
  Status Sync(int fd, bool data_only) override;
  Result<FileId> NewFileId() override { return shipper_.file_ids().Next(); }
  // Calls that wait for the relay give up (EIO), the others finish. Records whose outcome isn't known stay
  // unsettled: the next start has them from the journal, or not.
  void End() override;

  // Journals the attributes of the volume's root, so that every replica's gets the same. Once in a volume's
  // life.
  Status JournalRoot();

  // The store doesn't take this record, which is journaled at `sequence`: what is there instead is journaled
  // (remedy.h). Returns when it is, however long the relay is away. `why`: what the store said.
  Status Compensate(const Record& refused, Sequence sequence, const std::string& why);

  // Whether no call is answered, since another node may be primary.
  void Isolate(bool isolated) { isolated_ = isolated; }

  AppliedMark& applied() { return applied_; }
  // Calls that were left before it was known what becomes of them.
  std::uint64_t unanswered() const { return unanswered_; }

  // While it is held for an attempt at a promotion, no more changes begin: callers wait, each as long as its
  // patience lasts. 0: they go on.
  void HoldFor(std::uint64_t attempt);
  // The attempt that it is held for, once no change is under way any more; 0: not so.
  std::uint64_t held_for() const;

  // Changes are refused with `error` from here on; those under way end. The first error stays.
  void StopChanges(const Error& error);

 private:
  class Journey;
  class RemedyShipment;

  Status Admit(std::atomic<bool>& cancel, const Patience& patience);
  Status TakeTurn(const Mutation& mutation, const Patience& patience);
  Status ChangeRoot(Body body, Payload payload);
  Status MutateInTurn(const Mutation& mutation, ConflictQueue::Ticket turn, const Patience& patience);
  Status LeaveInDoubt(const Journey& journey, const Error& why);
  Status Finish(Journey& journey, const Answer& answer, const Patience* caller);
  void FinishAlone(Journey& journey, const Answer& answer);
  Status Refused(Journey& journey, Sequence sequence, const Error& why, const Patience* caller);
  void MakeUpFor(Journey& journey, Sequence sequence, const Error& why);
  void EndJourney(Journey& journey, bool settled);
  Status JournalRemedy(Body body, Payload payload, RemedyOf of);
  Status Take(const Answer& answer, Group known, bool& is_nowhere);
  void StoreFailed(const Record& record, const Error& error);
  std::optional<Error> stopped_with() const;
  Error NotTried(const Error& why) const;
  Error InDoubt(const Error& why) const;
  Patience PatienceOf(const Mutation& mutation, const std::atomic<bool>& cancel) const;

  Volume& volume_;
  Shipper& shipper_;
  const VolumeConfig config_;
  const Generation generation_;
  ConflictQueue conflicts_;
  AppliedMark applied_;
  const OnSetback on_setback_;
  static const Error kIsolated;
  std::atomic<bool> isolated_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> unanswered_{0};

  mutable Mutex mutex_;
  std::optional<Error> stopped_with_ HAWSER_GUARDED_BY(mutex_);
  std::set<std::atomic<bool>*> in_flight_ HAWSER_GUARDED_BY(mutex_);  // the cancel flags of calls
  CondVar call_ended_;
  std::uint64_t held_for_ HAWSER_GUARDED_BY(mutex_) = 0;
  CondVar released_;

  SerialThread remedies_;
};

}  // namespace hawser
