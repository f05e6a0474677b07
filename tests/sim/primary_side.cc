#include "tests/sim/primary_side.h"

#include "common/base/crash_point.h"
#include "common/record/codec.h"
#include "fuse_primary/verdict.h"
#include "volume/store/store.h"

namespace hawser::sim {

namespace {

constexpr std::uint64_t kPullBytes = 4 * kKiB;

}  // namespace

// ---- the start: HostedVolume::BecomePrimary, RecoverPrimary

void PrimarySide::Start(const Progress& head) {
  auto& checkpoint = parts_.disk.checkpoint;
  Progress from = checkpoint ? checkpoint->progress : Progress{};
  if (from.position.group == Group(0)) from.position.journal = head.position.journal;
  journal_ = head.position.journal;
  redo_ = checkpoint ? !checkpoint->clean : !parts_.disk.store.is_new();
  if (parts_.world.mutations().Has(Fault::kSkipRedo)) redo_ = false;
  if (checkpoint && !parts_.world.mutations().Has(Fault::kKeepCleanMark)) checkpoint->clean = false;
  if (from.position.group > head.position.group) {
    return parts_.checker.Diverged(parts_.node, parts_.volume,
                                   "its checkpoint is ahead of the relay's journal");
  }
  parts_.world.Note("{}: {} brings its store from {} to {}{}", parts_.node.value, parts_.volume.value,
                    from.position.Text(), head.position.Text(), redo_ ? ", redoing" : "");
  Fetch(from, head);
}

void PrimarySide::Fetch(const Progress& at, const Progress& head) {
  if (at.position.group >= head.position.group) return BringForward(head);
  const Buffer pull = Encode(Pull{parts_.node, at.position, kPullBytes});
  Requests::Request request;
  request.parts = [pull](int) { return std::vector<Buffer>{pull}; };
  request.answered = [this, at, head](std::optional<Incoming> reply) {
    const auto answer = Decode<PullReply>(reply->part(0));
    if (!answer || answer->answer != PullReply::Answer::kFrames) {
      return parts_.world.Fail(
          kI1, fmt::format("{} can't have what its store of {} lacks: {}", parts_.node.value,
                           parts_.volume.value, answer ? answer->text : answer.error().Text()));
    }
    if (const Status taken = TakeFrames(reply->part(1), at, head); !taken)
      parts_.give_up(taken.error().Text());
  };
  parts_.requests.Send(std::move(request));
}

Status PrimarySide::TakeFrames(Bytes frames, Progress at, const Progress& head) {
  while (!frames.empty() && at.position.group < head.position.group) {
    HAWSER_ASSIGN(const Frame frame, ParseFrame(frames));
    HAWSER_TRY(CheckFollows(at, frame.header));
    for (const Entry& entry : frame.entries) {
      HAWSER_ASSIGN(Record record, DecodeRecord(entry.header, entry.payload));
      if (record.volume != parts_.volume || CallOf(record, entry.payload) == 0) continue;
      fetched_.push_back({std::move(record), Buffer(entry.payload.begin(), entry.payload.end())});
    }
    at = frame.header.progress();
    frames = frames.subspan(frame.header.frame_bytes());
  }
  Fetch(at, head);
  return {};
}

void PrimarySide::BringForward(const Progress& head) {
  ModelStore& store = parts_.disk.store;
  for (const Fetched& fetched : fetched_) {
    CrashPoint("primary.redoing");
    const Status done =
        redo_ ? store.Redo(fetched.record, fetched.payload) : store.Apply(fetched.record, fetched.payload);
    if (parts_.life->dead) return;
    if (done) continue;
    if (done.error().code == kStoreDiverged)
      return parts_.checker.Diverged(parts_.node, parts_.volume, done.error().message);
    return parts_.give_up(done.error().Text());
  }
  fetched_.clear();
  if (redo_ && !store.FinishRedo()) return;
  parts_.checker.Shows(parts_.node, parts_.volume, store.tree(), head.position);
  Serve(head);
}

void PrimarySide::Serve(const Progress& head) {
  applied_.emplace(head);
  newest_known_ = head;
  KeepCheckpointAt(head);
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
    create->file = FileId((parts_.generation.value << 48) + 2 + parts_.disk.file_ids++);
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
  if (journey->caller_left && parts_.world.mutations().Has(Fault::kDropLeftRecords)) {
    applied_->Done(journey->mark);
    return End(journey);
  }
  const Verdict verdict = Judge(answer, journal_);
  if (verdict.meaning == Meaning::kJournaled) return Apply(journey, std::get<Ack>(answer));
  if (verdict.is_nowhere) {
    applied_->Done(journey->mark);
    parts_.checker.Refused(journey->call, verdict.error.message);
  }
  End(journey);
  if (verdict.meaning != Meaning::kRefused) Trouble(verdict.error.message);
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
  if (!applied) return Trouble("its store refused a journaled record: " + applied.error().Text());
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

void PrimarySide::Trouble(const std::string& why) {
  if (trouble_) return;
  trouble_ = true;
  parts_.world.Note("{}: {} takes no more changes: {}", parts_.node.value, parts_.volume.value, why);
  parts_.give_up(why);
}

// ---- positions

void PrimarySide::HeadKnown(const Progress& head) {
  if (!applied_ || head.position.journal != journal_) return;
  applied_->Known(head);
  if (head.position.group > newest_known_.position.group) newest_known_ = head;
}

VolumeReport PrimarySide::Report() const {
  VolumeReport report{parts_.volume, ReplicaRole::kPrimary, ReplicaState::kLive, {}, {}, {}};
  if (trouble_) report.state = ReplicaState::kFenced;
  if (parts_.disk.checkpoint) report.checkpoint = parts_.disk.checkpoint->progress;
  report.applied = applied_ ? applied_->Get() : report.checkpoint;
  return report;
}

// HostedVolume::KeepCheckpoint: the position is taken before the flush, so that all of it is flushed.
void PrimarySide::KeepCheckpoint() {
  const Progress applied =
      parts_.world.mutations().Has(Fault::kCheckpointPastInFlight) ? newest_known_ : applied_->Get();
  if (parts_.disk.checkpoint && parts_.disk.checkpoint->progress == applied) {
    parts_.world.After(parts_.world.profile().checkpoint_every, parts_.life, [this] { KeepCheckpoint(); });
    return;
  }
  KeepCheckpointAt(applied);
  parts_.world.After(parts_.world.profile().checkpoint_every, parts_.life, [this] { KeepCheckpoint(); });
}

void PrimarySide::KeepCheckpointAt(const Progress& applied) {
  if (flush_failed_) return;
  const std::size_t mark = parts_.disk.store.BeginFlush();
  if (parts_.world.mutations().Has(Fault::kCheckpointBeforeFlush))
    parts_.disk.checkpoint = Checkpoint{applied, false};
  parts_.world.After(microseconds(parts_.world.rng().Between(50, 5'000)), parts_.life,
                     [this, applied, mark] { EndCheckpoint(applied, mark); });
}

void PrimarySide::EndCheckpoint(const Progress& applied, std::size_t mark) {
  const Status flushed = parts_.disk.store.EndFlush(mark);
  CrashPoint("primary.store_synced");
  if (parts_.life->dead) return;
  if (!flushed) {
    flush_failed_ = !parts_.world.mutations().Has(Fault::kRetryFlush);
    parts_.world.Note("{}: no checkpoint of {}: {}", parts_.node.value, parts_.volume.value,
                      flushed.error().Text());
    return;
  }
  parts_.disk.checkpoint = Checkpoint{applied, false};
  parts_.world.Note("{}: {} is flushed to {}", parts_.node.value, parts_.volume.value,
                    applied.position.Text());
}

void PrimarySide::StopInOrder() {
  if (!applied_ || flush_failed_) return;
  const bool clean = applied_->idle() && !trouble_;
  const Progress applied = applied_->Get();
  if (parts_.disk.store.EndFlush(parts_.disk.store.BeginFlush()))
    parts_.disk.checkpoint = Checkpoint{applied, clean};
}

}  // namespace hawser::sim
