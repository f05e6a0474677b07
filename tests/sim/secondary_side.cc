#include "tests/sim/secondary_side.h"

#include "common/base/crash_point.h"
#include "common/journal/reader.h"
#include "common/record/codec.h"
#include "fuse_primary/relay_source.h"
#include "fuse_secondary/checkpointer.h"
#include "volume/recovery/replay_batch.h"
#include "volume/store/store.h"

namespace hawser::sim {

namespace {

constexpr std::size_t kStreamQueue = 64;
constexpr std::uint64_t kPullBytes = 4 * kKiB;
constexpr std::uint64_t kBatchBytes = 2 * kKiB;
constexpr std::uint64_t kRecoveryBytes = 4 * kKiB;
constexpr std::size_t kBatchGroups = 4;
constexpr auto kListenFor = milliseconds(20);
constexpr auto kPullPatience = milliseconds(150);
constexpr auto kRetryEvery = milliseconds(50);

BoardOptions BoardTimes() {
  return {.disconnected_after = milliseconds(2000), .live_within = milliseconds(1000)};
}

}  // namespace

SecondarySide::SecondarySide(Parts parts)
    : parts_(std::move(parts)),
      journal_({.folder = parts_.machine.journal_folder,
                .segment_bytes = parts_.world.profile().segment_bytes,
                .disk = std::shared_ptr<Disk>(std::shared_ptr<Disk>(), &parts_.machine.journal_disk)}),
      remedies_(journal_, parts_.volumes),
      applier_(1, [this](const ReplayRecord& record, bool again) { return ApplyRecord(record, again); }) {}

// ---- the start: RecoverCopies

Status SecondarySide::Open() {
  std::vector<RecoveryVolume> volumes;
  HAWSER_ASSIGN(const bool has_journal, journal_.Exists());
  folders_.clear();
  for (std::size_t i = 0; i < parts_.volumes.size(); ++i) {
    folders_.emplace_back(parts_.world, parts_.life, DiskOf(i));
    if (!has_journal && parts_.world.mutations().Has(Fault::kTrustLostJournal))
      folders_.back().CallCleanAnyhow();
    const double refusal = parts_.world.profile().refusal;
    DiskOf(i).store.BeginRecovery();
    // After some restarts it refuses others.
    DiskOf(i).store.Refuse(refusal, refusal > 0 ? parts_.world.rng().Below(2) : 0);
    volumes.push_back({parts_.volumes[i], &DiskOf(i).store, &folders_.back()});
  }
  recovery_.emplace(journal_, std::move(volumes));
  Status opened = recovery_->Open();
  if (!opened && opened.error().code == EBADMSG) {
    parts_.world.Fail(
        kI4, fmt::format("{}'s own journal doesn't recover: {}", parts_.node.value, opened.error().Text()));
  }
  return opened;
}

Status SecondarySide::Start(const std::optional<Welcome>& welcome) {
  welcome_ = welcome;
  if (recovery_->needs_relay()) {
    parts_.world.Note("{}: needs the relay's journal, up to {}", parts_.node.value,
                      welcome->head.position.Text());
    HAWSER_TRY(recovery_->BeginFromRelay({"the relay's journal", welcome->oldest, welcome->head, true}));
    BringForward();
    return {};
  }
  const Status recovered = recovery_->RecoverFromOwn(kRecoveryBytes, nullptr);
  if (parts_.life->dead) return Error{EIO, "the process has ended"};
  return recovered ? Follow() : WaitAndTryAgain(recovered.error());
}

// Replica's TryUntilWhole.
Status SecondarySide::WaitAndTryAgain(const Error& error) {
  HAWSER_ASSIGN(Recovered waiting, recovery_->Waiting(error));
  parts_.world.Note("{}: the copies wait: {}", parts_.node.value, error.Text());
  board_.emplace(BoardTimes(), journal_.is_open() ? journal_.durable() : Progress{},
                 std::move(waiting.volumes));
  BeReady();
  parts_.world.After(kRetryEvery, parts_.life, [this] {
    Status done = Open();
    if (done && needs_relay() && !welcome_) done = Error{ETIMEDOUT, "the relay isn't there"};
    if (done) done = Start(welcome_);
    if (!done && !parts_.life->dead) parts_.give_up(done.error().Text());
  });
  return {};
}

// Those that wait keep nothing else from being served.
void SecondarySide::BeReady() {
  if (!std::exchange(ready_, true)) parts_.ready();
}

// RunRecovery, with the relay's answers as events.
void SecondarySide::BringForward() {
  if (parts_.life->dead) return;
  if (const auto want = recovery_->core().wanted()) return Pull(*want);
  Status done = CheckpointAll();
  if (parts_.life->dead) return;
  if (done) done = Follow();
  if (!done) parts_.give_up(done.error().Text());
}

// RelaySource.
void SecondarySide::Pull(const Recovery::Want& want) {
  const Buffer pull = Encode(PullFor(parts_.sender(), want, kPullBytes));
  Requests::Request request;
  request.parts = [pull](int) { return std::vector<Buffer>{pull}; };
  request.answered = [this, want](std::optional<Incoming> reply) {
    Recovery& core = recovery_->core();
    const auto batch = BatchFrom(*reply, want, core.names());
    const Status taken = batch ? core.Take(batch->groups) : core.Refused(batch.error());
    if (taken) return BringForward();
    if (parts_.life->dead) return;
    if (const Status waits = WaitAndTryAgain(taken.error()); !waits) parts_.give_up(waits.error().Text());
  };
  parts_.requests.Send(std::move(request));
}

Status SecondarySide::CheckpointAll() {
  const auto& stands = recovery_->core().stands();
  for (std::size_t i = 0; i < stands.size(); ++i) {
    if (!stands[i].active()) continue;
    Checkpoints checkpoints(parts_.world, parts_.life, DiskOf(i), stands[i].checkpoint,
                            "secondary.store_synced");
    HAWSER_TRY(KeepDifferences(folders_[i], stands[i].checkpoint, stands[i]));
    HAWSER_TRY(checkpoints.MakeLast(stands[i].applied, Beyond::kReplayed));
  }
  return {};
}

// Replica::Start.
Status SecondarySide::Follow() {
  HAWSER_ASSIGN(Recovered recovered, recovery_->End());
  const Progress received = journal_.is_open() ? journal_.durable() : Progress{};
  parts_.checker.Received(parts_.node, received);
  for (std::size_t i = 0; i < recovered.volumes.size(); ++i) {
    const VolumeStand& stand = recovered.volumes[i];
    CheckStand(stand);
    parts_.checker.Shows(parts_.node, stand.name, DiskOf(i).store.tree(), stand.applied.position,
                         stand.differences);
    checkpoints_.push_back(std::make_unique<Checkpoints>(parts_.world, parts_.life, DiskOf(i),
                                                         stand.checkpoint, "secondary.store_synced"));
  }
  board_.emplace(BoardTimes(), received, std::move(recovered.volumes));
  std::vector<ReplayedVolume> replayed;
  for (std::size_t i = 0; i < folders_.size(); ++i)
    replayed.push_back({&folders_[i], &DiskOf(i).store, "a simulated store"});
  replay_.emplace(recovered.begin, std::move(replayed), *board_);
  intake_.emplace(
      journal_, received, *board_,
      IntakeOptions{.sender = parts_.sender, .pull_bytes = kPullBytes, .retry_every = kRetryEvery});
  WakeReceiver(Duration(0));
  WakeReplayer(Duration(0));
  parts_.world.After(parts_.world.profile().checkpoint_every, parts_.life, [this] { Checkpoint(); });
  BeReady();
  return {};
}

// Nobody deletes or changes a journal here: one that doesn't lead on from where a volume stands has lost
// something.
void SecondarySide::CheckStand(const VolumeStand& stand) {
  if (stand.condition == Condition::kNeedsSync)
    return parts_.world.Fail(kI1, fmt::format("{}: {}", parts_.node.value, stand.problem));
  if (!stand.active()) parts_.checker.Diverged(parts_.node, stand.name, stand.problem);
}

// ---- receiver.cc

void SecondarySide::Streamed(MessageType type, const std::vector<Buffer>& parts) {
  if (!intake_ || stream_.size() >= kStreamQueue) return;
  stream_.emplace_back(type, parts);
  if (!pulling_) WakeReceiver(microseconds(parts_.world.rng().Between(5, 100)));
}

void SecondarySide::WakeReceiver(Duration after) {
  if (receiver_awake_) return;
  receiver_awake_ = true;
  parts_.world.After(after, parts_.life, [this] {
    receiver_awake_ = false;
    if (!pulling_) Receive();
  });
}

// Receiver::Run and Listen.
void SecondarySide::Receive() {
  const Deadline now = parts_.world.deadline();
  if (intake_->Ready(now) && intake_->PullIsDue(now)) return StartPull();
  while (!stream_.empty() && !parts_.life->dead) {
    auto [type, message] = std::move(stream_.front());
    stream_.pop_front();
    const Incoming incoming = Incoming::Of(type, std::move(message));
    if (parts_.world.mutations().Has(Fault::kApplyPastGap)) ApplyPastGap(incoming);
    intake_->TakeFromStream(incoming, now);
    if (intake_->must_pull()) break;
  }
  Commit();
  WakeReceiver(intake_->must_pull() ? Duration(microseconds(10)) : Duration(kListenFor));
}

void SecondarySide::StartPull() {
  pulling_ = true;
  const Buffer pull = intake_->PullRequest();
  Requests::Request request;
  request.patience = kPullPatience;
  request.parts = [pull](int) { return std::vector<Buffer>{pull}; };
  request.answered = [this](std::optional<Incoming> reply) {
    pulling_ = false;
    if (reply) {
      intake_->TakeFromPull(*reply, parts_.world.deadline());
      Commit();
    } else {
      intake_->PullFailed(parts_.world.deadline());
    }
    WakeReceiver(microseconds(10));
  };
  parts_.requests.Send(std::move(request));
}

void SecondarySide::Commit() {
  if (parts_.life->dead) return;
  intake_->Commit(parts_.world.deadline());
  if (parts_.life->dead) return;
  parts_.checker.Received(parts_.node, board_->received());
  for (const VolumeReport& report : board_->Reports()) {
    if (NeedsHelp(report.state) && !parts_.world.went_back())
      parts_.checker.Diverged(parts_.node, report.volume,
                              fmt::format("{}: {}", TextOf(report.state), report.problem));
  }
  WakeReplayer(microseconds(parts_.world.rng().Between(5, 200)));
}

// ---- replayer.cc

void SecondarySide::WakeReplayer(Duration after) {
  if (replayer_awake_) return;
  replayer_awake_ = true;
  parts_.world.After(after, parts_.life, [this] {
    replayer_awake_ = false;
    Replay();
  });
}

Status SecondarySide::ReadMore(Group last) {
  if (reader_ == nullptr) {
    HAWSER_ASSIGN(reader_, journal_.OpenReader(replay_->at().position));
  }
  HAWSER_ASSIGN(batch_, ReadBatch(*reader_, last, kBatchBytes, parts_.volumes));
  next_ = 0;
  return {};
}

// Replayer::Run, Replay and ApplyBatch: one slice.
void SecondarySide::Replay() {
  if (next_ >= batch_.groups.size()) {
    const Group last = board_->received().position.group;
    if (last <= replay_->at().position.group) return;
    if (const Status read = ReadMore(last); !read) {
      parts_.world.Fail(
          kI4, fmt::format("{} can't read its own journal: {}", parts_.node.value, read.error().Text()));
      return;
    }
    if (batch_.groups.empty()) return;
  }
  replay_->LookAtBoard();
  const std::size_t first = next_;
  const auto failures = ApplySlice();
  CrashPoint("secondary.applied");
  if (parts_.life->dead) return;
  Publish(first, next_);
  if (!failures.empty()) Failed(batch_.groups[next_], failures);
  WakeReplayer(replay_->stalled() ? Duration(kRetryEvery)
                                  : Duration(microseconds(parts_.world.rng().Between(5, 500))));
}

std::vector<GroupFailure> SecondarySide::ApplySlice() {
  gate_held_ = !parts_.world.mutations().Has(Fault::kDropViewGate);
  std::vector<GroupFailure> failures;
  for (std::size_t applied = 0; next_ < batch_.groups.size() && applied < kBatchGroups; ++applied) {
    failures = ApplyGroup(batch_.groups[next_]);
    if (!failures.empty()) break;
    ++next_;
  }
  gate_held_ = false;
  return failures;
}

std::vector<GroupFailure> SecondarySide::ApplyGroup(const ReplayGroup& group) {
  const bool begins = !replay_->within_group();
  GroupInProgress& progress = replay_->Enter(group);
  if (begins && parts_.world.mutations().Has(Fault::kSkipGroup) && parts_.world.Trouble(0.01))
    std::fill(progress.done.begin(), progress.done.end(), 1);
  std::vector<GroupFailure> waiting;
  for (bool again = true; again;) {
    const auto failures = applier_.Apply(progress);
    if (parts_.life->dead) return failures;
    if (failures.empty()) break;
    waiting = replay_->Settle(failures, [this](Sequence refused) {
      return remedies_.Find(refused, replay_->at(), board_->received().position.group);
    });
    again = waiting.empty();
  }
  for (const VolumeStand& stand : board_->volumes()) {
    if (stand.condition == Condition::kDiverged)
      parts_.checker.Diverged(parts_.node, stand.name, stand.problem);
  }
  if (waiting.empty()) replay_->Applied();
  return waiting;
}

Status SecondarySide::ApplyRecord(const ReplayRecord& record, bool again) {
  if (parts_.life->dead) return Error{EIO, "the process has ended"};
  const auto manner = replay_->MannerOf(record, again);
  Status applied =
      manner ? DiskOf(record.volume).store.ApplyAs(*manner, record.record, record.payload) : manner.error();
  if (!applied && applied.error().code == EPERM && parts_.world.mutations().Has(Fault::kStallForEver))
    applied = Error{EIO, applied.error().message};
  if (parts_.world.rng().Chance(0.1)) Look();
  return applied;
}

void SecondarySide::Publish(std::size_t from, std::size_t to) {
  if (from == to) return;
  if (replay_->stalled()) parts_.world.Note("{}: replay goes on", parts_.node.value);
  replay_->Passed(std::span(batch_.groups).subspan(from, to - from));
  parts_.world.Note("{}: replayed to group {}", parts_.node.value, replay_->at().position.group.value);
}

void SecondarySide::Failed(const ReplayGroup& group, const std::vector<GroupFailure>& failures) {
  replay_->Wait(failures);
  parts_.world.Note("{}: replay waits at group {}: {}", parts_.node.value, group.end.position.group.value,
                    failures.front().error.Text());
}

// A reader of the mount: waits at the gate as long as it is held. A volume whose store was full in the middle
// of a group may show records of the group that waits (docs/CONSISTENCY.md).
void SecondarySide::Look() {
  if (gate_held_ || !replay_ || replay_->stalled() || parts_.life->dead) return;
  for (std::size_t i = 0; i < parts_.volumes.size(); ++i) {
    if (replay_->active(i))
      parts_.checker.Shows(parts_.node, parts_.volumes[i], DiskOf(i).store.tree(), replay_->applied(i),
                           board_->volume(i).differences);
  }
}

// ---- checkpointer.cc

void SecondarySide::Checkpoint() {
  const auto stands = board_->volumes();
  for (const VolumeStand& stand : stands) {
    parts_.checker.Stands(parts_.node, stand.name, stand.checkpoint.position.group,
                          stand.applied.position.group,
                          std::max(board_->received().position.group, stand.applied.position.group));
  }
  CheckpointNext(stands, 0);
}

void SecondarySide::CheckpointNext(std::vector<VolumeStand> stands, std::size_t volume) {
  while (volume < stands.size() &&
         (!stands[volume].active() || !checkpoints_[volume]->due(stands[volume].applied)))
    ++volume;
  if (volume == stands.size()) {
    DropOldSegments();
    parts_.world.After(parts_.world.profile().checkpoint_every, parts_.life, [this] { Checkpoint(); });
    return;
  }
  const Progress applied = stands[volume].applied;
  static_cast<void>(KeepDifferences(folders_[volume], checkpoints_[volume]->last(), stands[volume]));
  checkpoints_[volume]->Make(applied, Beyond::kReplayed,
                             [this, stands = std::move(stands), volume](const Status& made) {
                               if (parts_.life->dead) return;
                               Checkpointed(stands[volume], volume, made);
                               CheckpointNext(stands, volume + 1);
                             });
}

void SecondarySide::Checkpointed(const VolumeStand& stand, std::size_t volume, const Status& made) {
  if (made) {
    board_->Checkpointed(volume, stand.applied);
    parts_.world.Note("{}: {} is flushed to {}", parts_.node.value, stand.name.value,
                      stand.applied.position.Text());
  } else {
    board_->SetVolume(volume, Condition::kFailed, made.error().Text());
    parts_.give_up("its store fails a flush");
  }
}

void SecondarySide::DropOldSegments() { static_cast<void>(journal_.DropThrough(board_->unneeded())); }

// Replica::Stop, Checkpointer::Finish.
void SecondarySide::StopInOrder() {
  if (!replay_) return;
  const auto stands = board_->volumes();
  for (std::size_t i = 0; i < stands.size(); ++i) {
    if (!stands[i].active()) continue;
    const bool whole = stands[i].condition == Condition::kFine;
    static_cast<void>(KeepDifferences(folders_[i], checkpoints_[i]->last(), stands[i]));
    static_cast<void>(
        checkpoints_[i]->MakeLast(stands[i].applied, whole ? Beyond::kNothing : Beyond::kReplayed));
  }
  DropOldSegments();
}

// ---- faults

void SecondarySide::ApplyPastGap(const Incoming& message) {
  if (message.type() != MessageType::kFrame || !journal_.is_open()) return;
  std::vector<Bytes> parts;
  for (std::size_t i = 1; i < message.parts(); ++i) parts.push_back(message.part(i));
  const auto frame = ParseFrameParts(message.part(0), parts);
  if (!frame || frame->header.group <= Next(journal_.appended().position.group)) return;
  for (const Entry& entry : frame->entries) {
    const auto record = DecodeRecord(entry.header, entry.payload);
    if (!record) continue;
    for (std::size_t i = 0; i < parts_.volumes.size(); ++i) {
      if (parts_.volumes[i] == record->volume)
        static_cast<void>(DiskOf(i).store.Apply(*record, entry.payload));
    }
  }
}

}  // namespace hawser::sim
