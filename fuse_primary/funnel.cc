#include "fuse_primary/funnel.h"

#include <fmt/format.h>
#include <unistd.h>

#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "common/record/codec.h"
#include "fuse_primary/remedy.h"

namespace hawser {

namespace {

// Nothing but this process changes the store, so the kernel may answer by itself for as long as it likes.
constexpr double kKeepSeconds = 3600;

}  // namespace

Funnel::Funnel(Volume& volume, RelayClient& relay, const VolumeConfig& config, Generation generation,
               std::string file_ids, const Progress& applied)
    : volume_(volume),
      relay_(relay),
      config_(config),
      generation_(generation),
      file_ids_(std::move(file_ids), generation),
      applied_(applied) {}

Funnel::~Funnel() { Funnel::End(); }

CachePolicy Funnel::cache() const { return {kKeepSeconds, kKeepSeconds, true}; }

std::optional<Deadline> Funnel::RelayDeadline() const {
  if (config_.on_relay_loss == OnRelayLoss::kBlock) return std::nullopt;
  return SteadyClock::now() + config_.timeout;
}

std::optional<Funnel::Trouble> Funnel::trouble() const {
  const MutexLock lock(mutex_);
  return trouble_;
}

Status Funnel::Mutate(const Mutation& mutation) {
  std::atomic<bool> own_cancel{false};
  std::atomic<bool>& cancel = mutation.cancel != nullptr ? *mutation.cancel : own_cancel;
  {
    const MutexLock lock(mutex_);
    if (stopping_) return Error{EIO, "the volume is being stopped"};
    if (trouble_) return trouble_->error;
    in_flight_.insert(&cancel);
  }
  const auto result = [&]() -> Status {
    for (;;) {
      HAWSER_ASSIGN(const LockSet wanted, mutation.locks());
      HAWSER_ASSIGN(ConflictQueue::Ticket turn, conflicts_.Enter(wanted, cancel));
      // While this call waited, another may have moved what it is about.
      HAWSER_ASSIGN(const LockSet needed, mutation.locks());
      if (needed == wanted) return MutateInTurn(mutation, std::move(turn), cancel);
    }
  }();
  const MutexLock lock(mutex_);
  in_flight_.erase(&cancel);
  call_ended_.NotifyAll();
  return result;
}

Status Funnel::MutateInTurn(const Mutation& mutation, ConflictQueue::Ticket turn, std::atomic<bool>& cancel) {
  HAWSER_ASSIGN(std::optional<Decision> decision, mutation.decide());
  if (!decision) return {};
  Record record{volume_.name(), generation_, {}, std::move(decision->body)};
  const ApplyTo to{decision->open_file ? decision->open_file->get() : -1,
                   decision->orphan ? decision->orphan->get() : -1};
  if (decision->orphan) return volume_.store().Apply(record, mutation.payload.bytes(), to);

  auto lane = relay_.Borrow(RelayDeadline(), &cancel);
  if (!lane) {
    const MutexLock lock(mutex_);
    return Error{lane.error().code == ECANCELED && !stopping_ ? EINTR : EIO, lane.error().message};
  }
  Journey journey{std::move(turn), *std::move(lane), applied_.Begin(), std::move(record), {}};
  journey.record.origin = journey.lane->NextOrigin();
  journey.header = EncodeRecord(journey.record);
  CrashPoint("primary.decided");
  const auto answer =
      journey.lane->Submit(journey.header, mutation.payload.bytes(), RelayDeadline(), &cancel);
  if (!answer) return GiveUp(std::move(journey), mutation.payload.bytes(), answer.error());
  return Finish(journey, *answer, mutation.payload.bytes(), to);
}

// The relay has answered: the record is in the journal and must now be in the store, or it is nowhere.
Status Funnel::Finish(Journey& journey, const Answer& answer, Bytes payload, ApplyTo to) {
  bool compensated = false;
  const auto outcome = [&]() -> Status {
    if (const auto* refusal = std::get_if<Refusal>(&answer)) return Refused(*refusal);
    HAWSER_TRY(CheckJournal(std::get<Ack>(answer).group.position));
    applied_.Known(std::get<Ack>(answer).group);
    CrashPoint("primary.acknowledged");
    auto applied = volume_.Apply(journey.record, payload, to);
    CrashPoint("primary.applied");
    if (applied) return {};
    if (!IsNoRoom(applied.error())) return StoreFailed(journey.record, applied.error());
    if (auto remedied = Compensate(journey, applied.error()); !remedied)
      return StoreFailed(journey.record, remedied.error());
    compensated = true;
    return applied;
  }();
  // A record that is journaled but not in the store holds the mark (and so the checkpoint) where it is.
  if (outcome || compensated || std::holds_alternative<Refusal>(answer)) applied_.Done(journey.mark);
  return outcome;
}

// The store has no room for a journaled record: the node's real state is journaled after it, under the same
// turn, and is not applied here. The caller waits for that, however long: only then is its errno true on
// every replica.
Status Funnel::Compensate(Journey& journey, const Error& full) {
  log::warn("{}: no room for a journaled record ({}): {}; journaling what is there instead",
            volume_.name().value, Describe(journey.record), full.Text());
  return Remedy(volume_.store(), journey.record, [&](Body body, Bytes payload) -> Status {
    const Record remedy{volume_.name(), generation_, journey.lane->NextOrigin(), std::move(body)};
    HAWSER_ASSIGN(const Answer answer,
                  journey.lane->Submit(EncodeRecord(remedy), payload, std::nullopt, &stop_settling_));
    if (const auto* refusal = std::get_if<Refusal>(&answer)) return Refused(*refusal);
    HAWSER_TRY(CheckJournal(std::get<Ack>(answer).group.position));
    applied_.Known(std::get<Ack>(answer).group);
    return {};
  });
}

Status Funnel::Refused(const Refusal& refusal) {
  log::error("{}: the relay refused a change: {}", volume_.name().value, refusal.text);
  const bool fenced = refusal.code == RefusalCode::kFenced || refusal.code == RefusalCode::kNotPrimary ||
                      refusal.code == RefusalCode::kOldSession;
  Error error{fenced ? EROFS : ToErrno(refusal.code), refusal.text};
  if (fenced) {
    const MutexLock lock(mutex_);
    if (!trouble_) trouble_ = Trouble{ReplicaState::kFenced, error};
  }
  return error;
}

// I7: what is journaled is not in this store. The caller gets the errno; nobody changes the volume here any
// more.
Status Funnel::StoreFailed(const Record& record, const Error& error) {
  log::error(
      "{}: the store refused a journaled record ({}): {}; the volume takes no more changes here. Mend the "
      "store, then start this node again: the record will be applied from the journal",
      volume_.name().value, Describe(record), error.Text());
  const MutexLock lock(mutex_);
  if (!trouble_)
    trouble_ =
        Trouble{ReplicaState::kDiverged, Error{EIO, "the store refused a journaled record: " + error.Text()}};
  return error;
}

// A relay that begins another journal behind a running primary would make a history that no replica shares.
Status Funnel::CheckJournal(const Position& position) {
  const JournalId& journal = applied_.Get().position.journal;
  if (position.journal == journal) return {};
  Error error{
      EIO, fmt::format("the relay now writes journal {}, not {} that this store follows; stop this node, and "
                       "restore the relay's journal folder",
                       position.journal.Hex(), journal.Hex())};
  log::error("{}: {}", volume_.name().value, error.message);
  const MutexLock lock(mutex_);
  if (!trouble_) trouble_ = Trouble{ReplicaState::kDiverged, error};
  return error;
}

Status Funnel::GiveUp(Journey journey, Bytes payload, const Error& why) {
  const MutexLock lock(mutex_);
  if (stopping_)
    return Error{
        EIO, "stopped while waiting for the relay; whether it has the change is settled at the next start"};
  // From here on the settler owns the turn: calls that conflict wait for it.
  settlers_.emplace_back([this, held = std::make_shared<Journey>(std::move(journey)),
                          copy = Buffer(payload.begin(), payload.end())] { Settle(*held, copy); });
  if (why.code == ECANCELED) return Error{EINTR, "interrupted while waiting for the relay"};
  return Error{EIO, why.message};
}

void Funnel::Settle(Journey& journey, const Buffer& payload) {
  log::warn("{}: the outcome of a change is not known; asking the relay until it answers: {}",
            volume_.name().value, Describe(journey.record));
  const auto answer = journey.lane->Submit(journey.header, payload, std::nullopt, &stop_settling_);
  if (!answer) {
    log::warn("{}: a change stays unsettled: {}", volume_.name().value, answer.error().Text());
    return;
  }
  const auto outcome = Finish(journey, *answer, payload, {});
  log::info("{}: settled a change ({}): {}", volume_.name().value,
            outcome ? "it took place" : "it did not take place", Describe(journey.record));
}

Status Funnel::Sync(int fd, bool data_only) {
  if (config_.fsync == FsyncPolicy::kRelay) return {};  // it is on the relay's disk already
  if ((data_only ? ::fdatasync(fd) : ::fsync(fd)) != 0) return ErrnoError("cannot flush a file of the store");
  return {};
}

Status Funnel::JournalRoot() {
  return Mutate({[this]() -> Result<LockSet> {
                   return LockSet{{volume_.inodes().root_inode()}, {}, std::nullopt};
                 },
                 [this]() -> Result<std::optional<Decision>> {
                   HAWSER_ASSIGN(const struct stat info, StatFd(volume_.store().root_fd()));
                   SetAttr root{kRootFileId, {}, info.st_mode & 07777,         info.st_uid,
                                info.st_gid, {}, Timestamp::From(info.st_mtim)};
                   return std::optional(Decision{std::move(root), nullptr, nullptr});
                 },
                 {},
                 nullptr});
}

void Funnel::End() {
  std::list<std::thread> settlers;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    stop_settling_ = true;
    for (std::atomic<bool>* cancel : in_flight_) cancel->store(true);
    while (!in_flight_.empty()) call_ended_.Wait(mutex_);
    settlers.swap(settlers_);
  }
  for (std::thread& settler : settlers) settler.join();
}

}  // namespace hawser
