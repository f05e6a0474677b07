#include "fuse_primary/funnel.h"

#include <unistd.h>

#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "common/base/semaphore.h"
#include "common/record/codec.h"
#include "common/record/kinds.h"
#include "fuse_primary/remedy.h"
#include "fuse_primary/verdict.h"
#include "volume/store/xattrs.h"

namespace hawser {

namespace {

// Nothing but this process changes the store, so the kernel may answer by itself for as long as it likes.
constexpr double kKeepSeconds = 3600;

}  // namespace

// A record on its way, with all that it holds.
class Funnel::Journey : public Shipment, public std::enable_shared_from_this<Journey> {
 public:
  Journey(Funnel& funnel, ConflictQueue::Ticket turn, Record what, Payload data, SharedFd file)
      : Shipment(&funnel, std::move(what), std::move(data)),
        open_file(std::move(file)),
        mark(funnel.applied_.Begin()),
        funnel_(funnel),
        turn_(std::move(turn)) {}

  void FinishAlone(const Answer& answer) override { funnel_.FinishAlone(*this, answer); }

  // The next call that conflicts may go on. Not left to the destructor: whoever hands out answers may hold a
  // journey for a moment longer than its caller, and than the funnel.
  void GiveUpTurn() { turn_.reset(); }

  const SharedFd open_file;
  const AppliedMark::Call mark;
  // Its record has been made up for, or won't be: then this stays false.
  std::atomic<bool> remedied = false;
  Semaphore made_up_for;

 private:
  Funnel& funnel_;
  std::optional<ConflictQueue::Ticket> turn_;
};

// A record that says what is in this store already: nothing is left to be done with its answer.
class Funnel::RemedyShipment : public Shipment {
 public:
  using Shipment::Shipment;
  void FinishAlone(const Answer&) override {}
};

const Error Funnel::kIsolated{EIO, "the relay is out of reach, and another node may be primary by now"};

Funnel::Funnel(Volume& volume, Shipper& shipper, const VolumeConfig& config, Generation generation,
               const Progress& applied, OnSetback on_setback)
    : volume_(volume),
      shipper_(shipper),
      config_(config),
      generation_(generation),
      applied_(applied),
      on_setback_(std::move(on_setback)) {}

Funnel::~Funnel() { Funnel::End(); }

CachePolicy Funnel::cache() const { return {kKeepSeconds, kKeepSeconds, true}; }

// While the relay has been silent for as long as any call waits, there is no hope for another one: it may do
// what needs no waiting. So calls that wait for one another, some of them in the kernel, each end in time.
Patience Funnel::PatienceOf(const Mutation& mutation, const std::atomic<bool>& cancel) const {
  if (config_.on_relay_loss == OnRelayLoss::kBlock) return {std::nullopt, &cancel};
  const bool hope = shipper_.silent_for() < config_.timeout;
  return {hope ? mutation.came + config_.timeout : mutation.came, &cancel};
}

void Funnel::StopChanges(const Error& error) {
  const MutexLock lock(mutex_);
  if (!stopped_with_) stopped_with_ = error;
  released_.NotifyAll();
}

void Funnel::HoldFor(std::uint64_t attempt) {
  const MutexLock lock(mutex_);
  held_for_ = attempt;
  if (attempt == 0) released_.NotifyAll();
}

std::uint64_t Funnel::held_for() const {
  const MutexLock lock(mutex_);
  return in_flight_.empty() && applied_.idle() ? held_for_ : 0;
}

std::optional<Error> Funnel::stopped_with() const {
  const MutexLock lock(mutex_);
  return stopped_with_;
}

// ---- a call

Status Funnel::Mutate(const Mutation& mutation) {
  std::atomic<bool> own_cancel{false};
  std::atomic<bool>& cancel = mutation.cancel != nullptr ? *mutation.cancel : own_cancel;
  const Patience patience = PatienceOf(mutation, cancel);
  HAWSER_TRY(Admit(cancel, patience));
  const Status result = TakeTurn(mutation, patience);
  const MutexLock lock(mutex_);
  in_flight_.erase(&cancel);
  call_ended_.NotifyAll();
  return result;
}

Status Funnel::Admit(std::atomic<bool>& cancel, const Patience& patience) {
  std::optional<Error> over;
  {
    const MutexLock lock(mutex_);
    while (held_for_ != 0 && !stopping_ && !stopped_with_ && !(over = patience.Over()))
      (void)released_.WaitUntil(mutex_, patience.NextLook());
    if (stopped_with_) return *stopped_with_;
    if (stopping_) return Error{kGivenUp, "the volume is being stopped"};
    if (!over) {
      in_flight_.insert(&cancel);
      return {};
    }
  }
  return NotTried(*over);
}

Status Funnel::TakeTurn(const Mutation& mutation, const Patience& patience) {
  for (;;) {
    HAWSER_ASSIGN(const LockSet wanted, mutation.locks());
    auto turn = conflicts_.Enter(wanted, patience);
    if (!turn) return NotTried(turn.error());
    // While this call waited, another may have moved what it is about.
    if (const auto why = stopped_with()) return *why;
    HAWSER_ASSIGN(const LockSet needed, mutation.locks());
    if (needed == wanted) return MutateInTurn(mutation, *std::move(turn), patience);
  }
}

Status Funnel::MutateInTurn(const Mutation& mutation, ConflictQueue::Ticket turn, const Patience& patience) {
  HAWSER_ASSIGN(std::optional<Decision> decision, mutation.decide());
  if (!decision) return {};
  // As this store will keep them: what later records say of the state before is then true everywhere.
  ForEachTime(decision->body, [this](Timestamp& time) { time = volume_.store().times().Kept(time); });
  Record record{volume_.name(), generation_, {}, std::move(decision->body)};
  if (decision->orphan) {
    const int open_file = decision->open_file ? decision->open_file->get() : -1;
    return volume_.store().Apply(record, mutation.payload.bytes(), {open_file, decision->orphan->get()});
  }
  CrashPoint("primary.decided");
  const auto journey = std::make_shared<Journey>(*this, std::move(turn), std::move(record), mutation.payload,
                                                 std::move(decision->open_file));
  if (auto queued = shipper_.Queue(journey, patience); !queued) {
    applied_.Done(journey->mark);
    journey->GiveUpTurn();
    return NotTried(queued.error());
  }
  const auto answer = shipper_.Await(*journey, patience);
  if (!answer) return LeaveInDoubt(*journey, answer.error());
  return Finish(*journey, *answer, &patience);
}

Status Funnel::LeaveInDoubt(const Journey& journey, const Error& why) {
  log::warn("{}: the outcome of a change is not known yet, and its caller leaves: {}", volume_.name().value,
            Describe(journey.record));
  ++unanswered_;
  return InDoubt(why);
}

// What a call gets that stops waiting before its record was queued.
Error Funnel::NotTried(const Error& why) const {
  if (const auto stopped = stopped_with()) return *stopped;
  if (stopping_) return {kGivenUp, "the volume is being stopped; the change does not take place"};
  if (why.code == ECANCELED) return {EINTR, "interrupted; the change does not take place"};
  shipper_.CountRefused();
  return {kGivenUp, "the relay does not answer in time; the change does not take place: " + why.message};
}

// The same once its record is on its way: that is finished without it.
Error Funnel::InDoubt(const Error& why) const {
  if (stopping_)
    return {kGivenUp,
            "stopped while waiting for the relay; whether it has the change is settled at the next start"};
  if (why.code == ECANCELED)
    return {EINTR, "interrupted while waiting for the relay; the change may take place later"};
  return {kGivenUp, "the relay did not answer in time; the change may take place later: " + why.message};
}

// ---- the end of a journey

// The relay has answered: the record is in the journal and must now be in the store, or it is nowhere.
// `caller`: for how long it waits; null: it has gone.
Status Funnel::Finish(Journey& journey, const Answer& answer, const Patience* caller) {
  bool is_nowhere = false;
  if (Status taken = Take(answer, AppliedMark::KnownBefore(journey.mark), is_nowhere); !taken) {
    EndJourney(journey, is_nowhere);
    return taken;
  }
  CrashPoint("primary.acknowledged");
  const int open_file = journey.open_file ? journey.open_file->get() : -1;
  const Bytes payload = journey.payload.bytes();
  Status applied = caller != nullptr ? volume_.Apply(journey.record, payload, {open_file})
                                     : volume_.ApplySettled(journey.record, payload, {open_file});
  CrashPoint("primary.applied");
  if (!applied && applied.error().code != kStoreDiverged)
    return Refused(journey, std::get<Ack>(answer).sequence, applied.error(), caller);
  if (!applied) StoreFailed(journey.record, applied.error());
  EndJourney(journey, static_cast<bool>(applied));
  return applied;
}

// `settled`: what the journal says of it is what is in the store. Otherwise it holds the mark (and so the
// checkpoint) where it is.
void Funnel::EndJourney(Journey& journey, bool settled) {
  if (settled) applied_.Done(journey.mark);
  journey.GiveUpTurn();
}

void Funnel::FinishAlone(Journey& journey, const Answer& answer) {
  const Status outcome = Finish(journey, answer, nullptr);
  log::info("{}: settled a change whose caller had gone ({}): {}", volume_.name().value,
            Describe(journey.record), outcome ? "it took place" : "it did not take place");
}

// `is_nowhere`: the record is in no journal.
Status Funnel::Take(const Answer& answer, Group known, bool& is_nowhere) {
  using Meaning = Verdict::Meaning;
  const Verdict verdict = Judge(answer, applied_.Get().position.journal, known);
  is_nowhere = verdict.is_nowhere;
  if (verdict.meaning == Meaning::kJournaled) {
    applied_.Known(std::get<Ack>(answer).group);
    return {};
  }
  log::error("{}: a change was not taken: {}", volume_.name().value, verdict.error.message);
  if (const auto setback = SetbackOf(verdict)) on_setback_(*setback);
  return verdict.error;
}

// The store doesn't take it: that is made up for under the same turn, and the caller waits for that, since
// only then is its errno true everywhere; but no longer than it waits for anything.
Status Funnel::Refused(Journey& journey, Sequence sequence, const Error& why, const Patience* caller) {
  CrashPoint("primary.refused");
  remedies_.Do([this, held = journey.shared_from_this(), sequence, why] { MakeUpFor(*held, sequence, why); });
  std::optional<Error> over;
  while (caller != nullptr && !over) {
    const bool ended = journey.made_up_for.AcquireUntil(caller->NextLook());
    if (ended && journey.remedied) return why;
    if (ended && !stopping_) return Error{EIO, "the store refused a journaled record: " + why.Text()};
    over = ended ? Error{ECANCELED, "the role has ended"} : caller->Over();
  }
  volume_.TellOf(journey.record);  // nor does the kernel wait for the remedy
  return over ? LeaveInDoubt(journey, *over) : why;
}

// The kernel is told late: to the caller it is a failure, but some of it may be there. While a call waits,
// its directory is locked in the kernel, and who tells of that waits with it, where not even SIGKILL ends it.
// One that is stopped meanwhile is made up for at the next start.
void Funnel::MakeUpFor(Journey& journey, Sequence sequence, const Error& why) {
  const Status remedied = Compensate(journey.record, sequence, why.Text());
  volume_.TellOf(journey.record);
  if (!remedied && !stopping_) StoreFailed(journey.record, remedied.error());
  EndJourney(journey, static_cast<bool>(remedied));
  journey.remedied = static_cast<bool>(remedied);
  journey.made_up_for.Release();
}

Status Funnel::Compensate(const Record& refused, Sequence sequence, const std::string& why) {
  log::warn("{}: the store refuses a journaled record ({}): {}; journaling what is there instead",
            volume_.name().value, Describe(refused), why);
  return Remedy(volume_.store(), refused, sequence, [this](Body body, Payload payload, RemedyOf of) {
    return JournalRemedy(std::move(body), std::move(payload), of);
  });
}

Status Funnel::JournalRemedy(Body body, Payload payload, RemedyOf of) {
  const auto remedy = std::make_shared<RemedyShipment>(
      this, Record{volume_.name(), generation_, {}, std::move(body), of}, std::move(payload));
  const Group known = applied_.Get().position.group;
  const Patience patience{std::nullopt, &stopping_};
  HAWSER_TRY(shipper_.Queue(remedy, patience));
  HAWSER_ASSIGN(const Answer answer, shipper_.Await(*remedy, patience));
  CrashPoint("primary.remedied");
  bool is_nowhere = false;
  return Take(answer, known, is_nowhere);
}

// I7: what is journaled is not in this store. Nobody changes the volume here any more.
void Funnel::StoreFailed(const Record& record, const Error& error) {
  log::error(
      "{}: the store refused a journaled record ({}): {}; the volume takes no more changes here. Mend the "
      "store, then start this node again: the record will be applied from the journal",
      volume_.name().value, Describe(record), error.Text());
  on_setback_({Setback::Kind::kDiverged, {EIO, "the store refused a journaled record: " + error.Text()}});
}

// ---- the rest

Status Funnel::Sync(int fd, bool data_only) {
  if (config_.fsync == FsyncPolicy::kRelay) return {};  // it is on the relay's disk already
  if ((data_only ? ::fdatasync(fd) : ::fsync(fd)) != 0) return ErrnoError("cannot flush a file of the store");
  return {};
}

// What somebody has given the root before the first start is the volume's too. The mode comes last: an ACL
// changes it.
Status Funnel::JournalRoot() {
  const std::string root = ProcPath(volume_.store().root_fd());
  const std::string& shown = volume_.store().root_path();
  HAWSER_ASSIGN(const auto names, ShownXattrs(root, shown));
  for (const std::string& name : names) {
    if (name.starts_with("security.")) continue;  // of this machine
    HAWSER_ASSIGN(auto value, ReadXattr(root, name, shown));
    if (value) HAWSER_TRY(ChangeRoot(SetXattr{kRootFileId, {}, name}, Payload::Of(*std::move(value))));
  }
  HAWSER_ASSIGN(const struct stat info, StatFd(volume_.store().root_fd()));
  return ChangeRoot(
      SetAttr{
          kRootFileId, {}, info.st_mode & 07777, info.st_uid, info.st_gid, {}, Timestamp::From(info.st_mtim)},
      {});
}

Status Funnel::ChangeRoot(Body body, Payload payload) {
  return Mutate({[this]() -> Result<LockSet> {
                   return LockSet{{volume_.inodes().root_inode()}, {}, std::nullopt};
                 },
                 [&]() -> Result<std::optional<Decision>> {
                   return std::optional(Decision{std::move(body), nullptr, nullptr});
                 },
                 std::move(payload), nullptr, SteadyClock::now()});
}

void Funnel::End() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    released_.NotifyAll();
    for (std::atomic<bool>* cancel : in_flight_) cancel->store(true);
    while (!in_flight_.empty()) call_ended_.Wait(mutex_);
  }
  remedies_.Stop();  // before the shipper forgets what that waits for
  shipper_.Forget(this);
}

}  // namespace hawser
