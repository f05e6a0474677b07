#include "tests/sim/primary_side.h"

#include "common/base/crash_point.h"
#include "common/record/codec.h"
#include "fuse_primary/relay_source.h"
#include "fuse_primary/verdict.h"
#include "volume/store/store.h"

namespace hawser::sim {

namespace {

constexpr std::uint64_t kPullBytes = 4 * kKiB;

}  // namespace

// ---- the start: PrimaryRole::Begin

void PrimarySide::Start(const Welcome& welcome) {
  parts_.disk.store.Refuse(0, 0);  // what a primary's store refuses isn't simulated
  parts_.disk.store.BeginRecovery();
  journal_ = welcome.head.position.journal;
  recovery_.emplace(std::vector<RecoveryVolume>{{parts_.volume, &parts_.disk.store, &folder_}},
                    RecoverFor::kServing, "primary.redoing");
  Status begun = recovery_->ReadStands();
  if (begun) begun = recovery_->Begin({"the relay's journal", welcome.oldest, welcome.head, true});
  if (!begun) return parts_.give_up(begun.error().Text());
  checkpoints_.emplace(parts_.world, parts_.life, parts_.disk, recovery_->stands().front().checkpoint,
                       "primary.store_synced");
  BringForward(welcome.head);
}

// RunRecovery, with the relay's answers as events.
void PrimarySide::BringForward(const Progress& head) {
  if (parts_.life->dead) return;
  if (const auto want = recovery_->wanted()) return Pull(*want, head);
  const VolumeStand& stand = recovery_->stands().front();
  if (!stand.active() && parts_.world.went_back()) return parts_.give_up(stand.problem);
  if (!stand.active()) return parts_.checker.Diverged(parts_.node, parts_.volume, stand.problem);
  parts_.world.Note("{}: {} has its store at {}, {} records applied", parts_.node.value, parts_.volume.value,
                    head.position.Text(), recovery_->records());
  recovery_.reset();
  parts_.checker.Shows(parts_.node, parts_.volume, parts_.disk.store.tree(), head.position);
  Serve(head);
}

// RelaySource.
void PrimarySide::Pull(const Recovery::Want& want, const Progress& head) {
  const Buffer pull = Encode(PullFor(parts_.sender, want, kPullBytes));
  Requests::Request request;
  request.parts = [pull](int) { return std::vector<Buffer>{pull}; };
  request.answered = [this, want, head](std::optional<Incoming> reply) {
    const auto batch = BatchFrom(*reply, want, recovery_->names());
    if (!batch && batch.error().code == ENODATA) return parts_.world.Fail(kI1, batch.error().Text());
    const Status taken = batch ? recovery_->Take(batch->groups) : recovery_->Refused(batch.error());
    if (!taken) return parts_.give_up(taken.error().Text());
    BringForward(head);
  };
  parts_.requests.Send(std::move(request));
}

void PrimarySide::Serve(const Progress& head) {
  applied_.emplace(head);
  newest_known_ = head;
  MakeCheckpoint(head);
  for (std::size_t i = 0; i < parts_.world.profile().callers; ++i) Think();
  parts_.world.After(parts_.world.profile().checkpoint_every, parts_.life, [this] { KeepCheckpoint(); });
}

// ---- callers

void PrimarySide::Think() {
  const Duration most = parts_.world.profile().think;
  parts_.world.After(Duration(parts_.world.rng().Between(1'000, most.count())), parts_.life,
                     [this] { Call(); });
}

void PrimarySide::Call() {
  if (stopped_ || trouble_) return;
  Waiting waiting;
  waiting.wish = MakeWish(parts_.world.rng(), parts_.world.profile().folders);
  waiting.call = parts_.checker.Made(parts_.volume, parts_.node, parts_.generation);
  waiting_.push_back(std::move(waiting));
  TryWaiting();
}

// Funnel::Mutate: waits for its turn; with the turn, looks again whether it still is about the same.
void PrimarySide::TryWaiting() {
  const std::atomic<bool> now_or_not{true};
  const Patience none{std::nullopt, &now_or_not};
  for (auto place = waiting_.begin(); place != waiting_.end();) {
    auto plan = Decide(place->wish, parts_.disk.store.tree(), place->call, FileId(0));
    if (!plan) {
      place = waiting_.erase(place);  // ENOENT, EEXIST: the caller's to deal with
      Think();
      continue;
    }
    const bool apart = !parts_.world.mutations().Has(Fault::kSkipConflicts);
    if (apart && IsHeldBack(place, plan->locks)) {
      ++place;
      continue;
    }
    auto turn = conflicts_.Enter(apart ? plan->locks : LockSet{}, none);
    if (!turn) {
      ++place;
      continue;
    }
    const Waiting waiting = std::move(*place);
    place = waiting_.erase(place);
    Submit(waiting, *std::move(plan), *std::move(turn));
  }
}

// First come, first served among those that conflict (ConflictQueue::IsBlocked).
bool PrimarySide::IsHeldBack(std::list<Waiting>::iterator place, const LockSet& locks) const {
  for (auto earlier = waiting_.begin(); earlier != waiting_.end() && earlier->call != place->call;
       ++earlier) {
    const auto plan = Decide(earlier->wish, parts_.disk.store.tree(), earlier->call, FileId(0));
    if (plan && Conflict(plan->locks, locks)) return true;
  }
  return false;
}

// Funnel::MutateInTurn.
void PrimarySide::Submit(const Waiting& waiting, Plan plan, ConflictQueue::Ticket turn) {
  if (auto* create = std::get_if<Create>(&plan.body))
    create->file = *(parts_.world.mutations().Has(Fault::kCountFileIdsAnew) ? ids_anew_ : ids_).Next();
  Record record{parts_.volume, parts_.generation, {}, std::move(plan.body)};
  journeys_.push_back(
      {waiting.call, std::move(turn), applied_->Begin(), std::move(record), std::move(plan.payload), false});
  const JourneyPlace journey = std::prev(journeys_.end());
  parts_.world.Note("{}: call {} submits {}", parts_.node.value, journey->call, Describe(journey->record));
  CrashPoint("primary.decided");
  parts_.shipping.Queue(journey->record, journey->payload, journey->call,
                        [this, journey](const Answer& answer) { Finish(journey, answer); });
  if (!parts_.world.Trouble(parts_.world.profile().give_up)) return;
  parts_.world.After(milliseconds(parts_.world.rng().Between(0, 100)), parts_.life,
                     [this, call = waiting.call] { Leave(call); });
}

// The caller goes; the record keeps its turn until it is finished without it.
void PrimarySide::Leave(std::uint64_t call) {
  for (Journey& journey : journeys_) {
    if (journey.call != call || journey.caller_left) continue;
    journey.caller_left = true;
    parts_.world.Note("{}: the caller of {} leaves", parts_.node.value, call);
    Think();
  }
}

// Funnel::Finish and Take.
void PrimarySide::Finish(JourneyPlace journey, const Answer& answer) {
  using Meaning = Verdict::Meaning;
  const Mutations& mutations = parts_.world.mutations();
  if ((journey->caller_left && mutations.Has(Fault::kDropLeftRecords)) ||
      (mutations.Has(Fault::kReuseNumber) && IsDoubt(answer))) {
    applied_->Done(journey->mark);
    return End(journey);
  }
  const Verdict verdict = Judge(answer, journal_, AppliedMark::KnownBefore(journey->mark));
  if (verdict.meaning == Meaning::kJournaled) return Apply(journey, std::get<Ack>(answer));
  if (verdict.is_nowhere) {
    applied_->Done(journey->mark);
    parts_.checker.Refused(journey->call, std::get<Refusal>(answer));
  }
  End(journey);
  if (const auto setback = SetbackOf(verdict)) parts_.on_setback(*setback);
}

void PrimarySide::Apply(JourneyPlace journey, const Ack& ack) {
  applied_->Known(ack.group);
  if (ack.group.position.group > newest_known_.position.group) newest_known_ = ack.group;
  CrashPoint("primary.acknowledged");
  const Status applied = parts_.disk.store.Apply(journey->record, journey->payload);
  CrashPoint("primary.applied");
  if (parts_.life->dead) return;
  if (!applied && applied.error().code == kStoreDiverged)
    return parts_.checker.Diverged(parts_.node, parts_.volume, applied.error().message);
  // A record that is journaled but not in the store holds the mark (and so the checkpoint) where it is.
  if (!applied)
    return parts_.on_setback(
        {Setback::Kind::kDiverged, {EIO, "its store refused a journaled record: " + applied.error().Text()}});
  applied_->Done(journey->mark);
  parts_.world.Note("{}: call {} is acknowledged: sequence {}, group {}", parts_.node.value, journey->call,
                    ack.sequence.value, ack.group.position.group.value);
  // A caller that has left hears nothing of it.
  if (!journey->caller_left) parts_.checker.Acknowledged(journey->call, ack);
  End(journey);
}

void PrimarySide::End(JourneyPlace journey) {
  if (!journey->caller_left) Think();
  journeys_.erase(journey);
  TryWaiting();
}

void PrimarySide::StopChanges(const Error& error) {
  if (trouble_) return;
  trouble_ = true;
  parts_.world.Note("{}: {} takes no more changes: {}", parts_.node.value, parts_.volume.value,
                    error.message);
  parts_.give_up(error.message);
}

// ---- positions

void PrimarySide::HeadKnown(const Progress& head) {
  if (!applied_ || head.position.journal != journal_) return;
  applied_->Known(head);
  if (head.position.group > newest_known_.position.group) newest_known_ = head;
}

VolumeReport PrimarySide::Report() const {
  VolumeReport report{parts_.volume, ReplicaRole::kPrimary, ReplicaState::kLive, {}, {}, {}};
  // The product reads `diverged` where its store has failed. Here that is what the checker looks for, and an
  // I/O error that the simulation has made explains it.
  if (trouble_) report.state = ReplicaState::kFenced;
  if (checkpoints_) report.checkpoint = checkpoints_->last();
  report.applied = applied_ ? applied_->Get() : report.checkpoint;
  return report;
}

// PrimaryRole::KeepCheckpoint.
void PrimarySide::KeepCheckpoint() {
  const Progress applied =
      parts_.world.mutations().Has(Fault::kCheckpointPastInFlight) ? newest_known_ : applied_->Get();
  if (checkpoints_->due(applied)) MakeCheckpoint(applied);
  parts_.world.After(parts_.world.profile().checkpoint_every, parts_.life, [this] { KeepCheckpoint(); });
}

void PrimarySide::MakeCheckpoint(const Progress& applied) {
  checkpoints_->Make(applied, Beyond::kServed, [this, applied](const Status& made) {
    parts_.world.Note("{}: checkpoint of {} at {}: {}", parts_.node.value, parts_.volume.value,
                      applied.position.Text(), made ? "made" : made.error().Text());
  });
}

void PrimarySide::StopInOrder() {
  if (!applied_) return;
  const bool settled = applied_->idle() && !trouble_;
  static_cast<void>(checkpoints_->MakeLast(applied_->Get(), settled ? Beyond::kNothing : Beyond::kServed));
}

}  // namespace hawser::sim
