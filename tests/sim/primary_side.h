// A volume on the node that is its primary: callers and the funnel. Mirrors fuse_primary/funnel.cc and
// node/primary_role.cc; the outbox (shipping.h), what an answer means (verdict.h), Recovery,
// CheckpointKeeper, ConflictQueue and AppliedMark are the real ones.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "fuse_primary/applied_mark.h"
#include "fuse_primary/conflict_queue.h"
#include "fuse_primary/setback.h"
#include "tests/sim/checker.h"
#include "tests/sim/checkpoints.h"
#include "tests/sim/machine.h"
#include "tests/sim/requests.h"
#include "tests/sim/shipping.h"
#include "tests/sim/workload.h"
#include "volume/recovery/recovery.h"
#include "volume/store/file_ids.h"

namespace hawser::sim {

class PrimarySide {
 public:
  struct Parts {
    World& world;
    Checker& checker;
    Sender sender;
    NodeName node;
    LifePtr life;
    Requests& requests;
    Shipping& shipping;
    VolumeDisk& disk;  // store and checkpoint
    VolumeName volume;
    Generation generation;
    OnSetback on_setback;
    std::function<void(const std::string& why)> give_up;  // the node has to be started again
  };
  explicit PrimarySide(Parts parts)
      : parts_(std::move(parts)),
        folder_(parts_.world, parts_.life, parts_.disk),
        ids_(parts_.sender.session) {}

  // Brings the store to the relay's head, then takes calls.
  void Start(const Welcome& welcome);
  // As PrimaryRole::End.
  void StopInOrder();
  const VolumeName& volume() const { return parts_.volume; }
  // As Funnel::StopChanges; the node has to be started again.
  void StopChanges(const Error& error);
  bool serving() const { return applied_.has_value(); }

  void HeadKnown(const Progress& head);
  VolumeReport Report() const;

  // While healing: no new calls.
  void StopCallers() { stopped_ = true; }
  bool idle() const { return serving() && waiting_.empty() && journeys_.empty(); }
  Group applied() const { return applied_->Get().position.group; }

 private:
  struct Waiting {
    std::uint64_t call = 0;
    Wish wish;
  };
  struct Journey {
    std::uint64_t call = 0;
    ConflictQueue::Ticket turn;
    AppliedMark::Call mark;
    Record record;
    Buffer payload;
    bool caller_left = false;
  };
  using JourneyPlace = std::list<Journey>::iterator;

  void BringForward(const Progress& head);
  void Pull(const Recovery::Want& want, const Progress& head);
  void Serve(const Progress& head);

  void Think();
  void Call();
  void TryWaiting();
  bool IsHeldBack(std::list<Waiting>::iterator place, const LockSet& locks) const;
  void Submit(const Waiting& waiting, Plan plan, ConflictQueue::Ticket turn);
  void Leave(std::uint64_t call);
  void Finish(JourneyPlace journey, const Answer& answer);
  void Apply(JourneyPlace journey, const Ack& ack);
  void End(JourneyPlace journey);

  void KeepCheckpoint();
  void MakeCheckpoint(const Progress& applied);

  const Parts parts_;
  StateFolder folder_;
  FileIds ids_;
  FileIds ids_anew_{1};  // for a fault
  std::optional<Recovery> recovery_;
  std::optional<Checkpoints> checkpoints_;
  std::optional<AppliedMark> applied_;
  ConflictQueue conflicts_;
  std::list<Waiting> waiting_;
  std::list<Journey> journeys_;
  JournalId journal_;
  Progress newest_known_;
  bool trouble_ = false;
  bool stopped_ = false;
};

}  // namespace hawser::sim
