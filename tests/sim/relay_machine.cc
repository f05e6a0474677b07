#include "tests/sim/relay_machine.h"

#include <algorithm>
#include <filesystem>

#include "common/journal/file_journal.h"
#include "common/record/codec.h"
#include "relay/limits.h"
#include "relay/recovery.h"

namespace hawser::sim {

namespace {

constexpr auto kWake = microseconds(5);  // from a message's arrival to the thread's turn
constexpr auto kHeadEvery = milliseconds(50);
constexpr auto kRetainEvery = milliseconds(40);
constexpr auto kScrubEvery = milliseconds(10);
constexpr auto kSilence = seconds(2);
constexpr std::uint64_t kReserve = 1;             // bytes
constexpr auto kReplaceable = milliseconds(150);  // a node that was silent for so long

Membership MembersOf(const Profile& profile) {
  Membership members;
  for (const NodeName& node : profile.nodes) members.nodes.insert(node);
  for (const auto& [volume, primary] : profile.primaries) members.volumes.insert(volume);
  return members;
}

std::map<NodeName, NodeConfig> NodesOf(const Profile& profile) {
  std::map<NodeName, NodeConfig> nodes;
  for (const auto& [node, volumes] : profile.holds) {
    for (const VolumeName& volume : volumes) nodes[node].volumes[volume] = {};
  }
  return nodes;
}

// The journal's id comes from the seed, not from the machine's randomness.
Progress Beginning() {
  Progress start;
  start.position.journal.bytes[0] = std::byte{0x51};
  return start;
}

std::vector<Buffer> One(Buffer part) {
  std::vector<Buffer> parts;
  parts.push_back(std::move(part));
  return parts;
}

// Who asks, what the answer's token is, and which call it is about: "alpha 12 7".
Asker ToAsker(const Letter& letter) {
  return {fmt::format("{} {} {}", letter.from.value, letter.token, letter.call), true};
}

Letter FromAsker(const Asker& asker) {
  Letter letter;
  const std::size_t first = asker.identity.find(' ');
  const std::size_t second = asker.identity.find(' ', first + 1);
  letter.from = NodeName(asker.identity.substr(0, first));
  letter.token = std::stoull(asker.identity.substr(first + 1));
  letter.call = std::stoull(asker.identity.substr(second + 1));
  return letter;
}

// The calls that the records of a batch are of.
std::vector<std::uint64_t> CallsOf(const std::vector<Buffer>& parts) {
  std::vector<std::uint64_t> calls;
  for (std::size_t i = 1; i + 1 < parts.size(); i += 2) {
    const auto record = DecodeRecord(parts[i]);
    calls.push_back(record ? CallOf(*record, parts[i + 1]) : 0);
  }
  return calls;
}

std::vector<Buffer> PartsOf(const Frame& frame) {
  std::vector<Buffer> parts{frame.front};
  for (const Entry& entry : frame.entries) {
    parts.emplace_back(entry.header.begin(), entry.header.end());
    if (!entry.payload.empty()) parts.emplace_back(entry.payload.begin(), entry.payload.end());
  }
  return parts;
}

}  // namespace

RelayProcess::RelayProcess(World& world, Network& network, Checker& checker, SimDisk& disk,
                           std::string folder, bool went_back, LifePtr life)
    : world_(world),
      network_(network),
      checker_(checker),
      disk_(disk),
      folder_(std::move(folder)),
      went_back_(went_back),
      run_(1 + world.rng().Below(UINT32_MAX)),
      life_(std::move(life)),
      members_(MembersOf(world.profile())),
      frames_(kPublishQueue),
      scrub_(folder_) {}

RelayProcess::~RelayProcess() { disk_.set_during_flush({}); }

// relay/relay.cc: Open.
Status RelayProcess::Start() {
  disk_.Serve(life_);
  const Profile& profile = world_.profile();
  HAWSER_TRY(OpenJournal());
  // It is a cache, whatever has been dropped meanwhile.
  if (world_.rng().Coin()) static_cast<void>(std::filesystem::remove(folder_ + "/sequencer.state"));
  HAWSER_ASSIGN(SavedState state, Recover(*journal_, folder_, members_));
  if (world_.mutations().Has(Fault::kForgetDedupAtRestart)) {
    for (auto& [name, node] : state.sequencer.nodes) node.answered.clear();
  }
  writer_ = std::make_unique<Writer>(Writer::Parts{kGroup, folder_, *this, *journal_, frames_, board_, 0,
                                                   run_, [this] { return world_.timestamp(); },
                                                   [this] { return world_.deadline(); }, kReplaceable},
                                     members_, std::move(state));
  HAWSER_TRY(writer_->AppointPrimaries(profile.primaries));
  pulls_ = std::make_unique<PullServer>(*journal_);
  evidence_.emplace(kGroup, *journal_);
  tracker_ = std::make_unique<Tracker>(
      NodesOf(profile), TrackerTimes{kSilence, kSilence, world_.deadline()},
      RetentionRules{profile.keep_bytes, std::chrono::hours(1), WhenFull::kDropSlowest, kReserve});
  began_ = world_.deadline();
  if (world_.mutations().Has(Fault::kTakeUnknownForSlow)) {
    for (const NodeName& node : profile.nodes) HearNothingOf(node);
  }
  disk_.set_during_flush([this] {
    if (!controls_.empty() && world_.rng().Coin()) ServeControl();
  });
  PublishHead();
  world_.After(kRetainEvery, life_, [this] { Retain(); });
  world_.After(kScrubEvery, life_, [this] { Scrub(); });
  return {};
}

Status RelayProcess::OpenJournal() {
  RecoveryReport report;
  // FileJournal takes any disk that it is given; it lives as long as the machine.
  const std::shared_ptr<Disk> disk(std::shared_ptr<void>(), &disk_);
  HAWSER_ASSIGN(auto journal,
                FileJournal::Open({folder_, world_.profile().segment_bytes}, Beginning(), report, disk));
  // No crash leaves anything of the kind.
  for (const JournalFault& fault : report.damage)
    world_.Fail(kI1, "the relay's journal is damaged: " + TextOf(fault));
  if (went_back_) {
    journal_ = std::make_unique<OldJournal>(world_, std::move(journal));
    return {};
  }
  checker_.Recovered(journal->durable(), journal->oldest());
  auto watched = std::make_unique<WatchedJournal>(world_, checker_, life_, std::move(journal));
  if (world_.mutations().Has(Fault::kPublishBeforeFlush)) {
    watched->set_on_appended(
        [this](const Frame& frame) { network_.Publish(MessageType::kFrame, PartsOf(frame)); });
  }
  journal_ = std::move(watched);
  return {};
}

// ---- the write port: the loop of Writer::Run

void RelayProcess::Arrive(const Letter& letter) {
  auto& inbox = letter.port == Port::kWrite ? writes_ : controls_;
  inbox.push_back(letter);
  bool& turn = letter.port == Port::kWrite ? write_turn_ : control_turn_;
  if (turn) return;
  turn = true;
  // A thread that is busy or asleep takes its time: what arrives meanwhile is in the same group.
  const Duration wait = kWake + Duration(world_.rng().Between(0, 200'000));
  if (letter.port == Port::kWrite) {
    world_.After(wait, life_, [this] { ServeWrites(); });
  } else {
    world_.After(wait, life_, [this] { control_turn_ = false, ServeControl(); });
  }
}

void RelayProcess::ServeWrites() {
  write_turn_ = false;
  if (world_.mutations().Has(Fault::kCutGroupAfterReply)) return ServeOpenGroup();
  Forming forming;
  while (!writes_.empty() && !forming.IsFull() && !life_->dead) {
    Letter letter = Changed(std::move(writes_.front()));
    writes_.pop_front();
    Collect(std::move(letter), forming);
  }
  if (forming.messages() > 0) FinishGroup(std::move(forming));
}

void RelayProcess::Collect(Letter letter, Forming& forming) {
  const Asker asker = ToAsker(letter);
  if (letter.type == MessageType::kSubmit) NoteBatch(asker, letter.parts);
  if (letter.type == MessageType::kHello && world_.mutations().Has(Fault::kTrustJournal)) {
    if (auto hello = Decode<Hello>(letter.parts.front())) {
      hello->known = {};
      letter.parts.front() = Encode(*hello);
    }
  }
  writer_->Collect({asker, Incoming::Of(letter.type, std::move(letter.parts))}, forming);
}

void RelayProcess::NoteBatch(const Asker& asker, std::vector<Buffer>& parts) {
  const std::vector<std::uint64_t> calls = CallsOf(parts);
  calls_[asker.identity] = calls;
  auto batch = Decode<Batch>(parts.front());
  const auto first = DecodeRecord(parts[1], parts[2]);
  if (!batch || !first) return;
  if (world_.mutations().Has(Fault::kIgnoreCuts)) batch->cuts.clear();
  if (world_.mutations().Has(Fault::kTrustJournal)) batch->known = {}, batch->run = run_;
  if (world_.mutations().Has(Fault::kTakeAhead)) batch->answered = first->origin.number - 1;
  parts.front() = Encode(*batch);
}

void RelayProcess::FinishGroup(Forming forming) {
  if (life_->dead) return;
  writer_->Finish(std::move(forming));
  // The publisher is a thread of its own.
  world_.After(Duration(world_.rng().Between(1'000, 100'000)), life_, [this] { PublishQueued(); });
}

void RelayProcess::Reply(const Asker& to, MessageType type, std::vector<Buffer> parts) {
  if (life_->dead) return;
  const Letter letter = FromAsker(to);
  if (type == MessageType::kAnswers) {
    const auto answers = Decode<Answers>(parts.front());
    const std::vector<std::uint64_t>& calls = calls_.at(to.identity);  // a copy of the request has the same
    for (std::size_t i = 0; answers && i < answers->answers.size(); ++i) {
      if (const auto* ack = std::get_if<Ack>(&answers->answers[i])) checker_.Answers(calls[i], *ack);
    }
  }
  if (type == MessageType::kRefusal && world_.tracing()) {
    if (const auto refusal = Decode<Refusal>(parts.front()))
      world_.Note("relay: refuses call {} of {}: {}", letter.call, letter.from.value, refusal->text);
  }
  network_.Answer(letter.from, letter.token, type, std::move(parts));
}

Status RelayProcess::MakePrimary(const VolumeName& volume, const NodeName& node) {
  FinishOpenGroup();
  for (const VolumeFact& fact : facts()) {
    if (fact.volume != volume) continue;
    world_.Note("relay: {} becomes primary of {} in generation {}", node.value, volume.value,
                fact.generation.value + 1);
    return writer_->JournalOwn({{volume, Next(fact.generation), Origin{NodeName("relay")}, Promote{node}}});
  }
  return {};
}

// ---- the stream port: relay/stream.cc

void RelayProcess::PublishQueued() {
  while (const auto durable = frames_.Pop(Deadline{})) {
    if (!*durable) continue;
    const Frame& frame = (*durable)->frame;
    checker_.Published(frame.header.progress().position);
    network_.Publish(MessageType::kFrame, PartsOf(frame));
  }
}

void RelayProcess::PublishHead() {
  network_.Publish(MessageType::kHead, One(Encode(Head{journal_->durable()})));
  world_.After(kHeadEvery, life_, [this] { PublishHead(); });
}

// ---- the control port: relay/control.cc, disk.cc

void RelayProcess::ServeControl() {
  while (!controls_.empty() && !life_->dead) {
    const Letter letter = std::move(controls_.front());
    controls_.pop_front();
    TakeControl(letter);
  }
}

void RelayProcess::TakeControl(const Letter& letter) {
  if (letter.type == MessageType::kReport) {
    auto report = Decode<Report>(letter.parts.front());
    if (!report) return;
    // The tracker can't tell that this isn't the newest.
    const Progress head = journal_->durable();
    const NoticeBoard::Notes notes = board_.Read();
    if (world_.mutations().Has(Fault::kTrustJournal)) report->from.known = {};
    const bool trusts = world_.mutations().Has(Fault::kTrustEndedSession);
    const auto refusal = trusts ? std::nullopt : evidence_->Check(*report, notes.sessions);
    if (refusal) return Reply(ToAsker(letter), MessageType::kRefusal, One(Encode(*refusal)));
    board_.HeardOf(report->from.node, report->from.session, world_.deadline());
    if (world_.mutations().Has(Fault::kHeedLateReports)) report->from.session = ++next_report_;
    for (VolumeReport& volume : report->volumes) {
      heard_.insert({report->from.node, volume.volume});
      if (world_.mutations().Has(Fault::kTakeAppliedForKept)) volume.checkpoint = volume.applied;
    }
    tracker_->Heard(*report, world_.deadline());
    const Overview overview{run_, head, journal_->oldest(), notes.volumes};
    Reply(ToAsker(letter), MessageType::kOverview, One(Encode(overview)));
  }
  if (letter.type == MessageType::kPull) {
    auto pull = Decode<Pull>(letter.parts.front());
    if (!pull) return;
    if (world_.mutations().Has(Fault::kTrustJournal)) pull->from.known = {};
    if (const auto refusal = evidence_->Check(*pull, board_.ReadSessions()))
      return Reply(ToAsker(letter), MessageType::kRefusal, One(Encode(*refusal)));
    PullServer::Answer answer = pulls_->Serve(*pull, world_.deadline());
    Bytes rest(answer.frames);
    while (!rest.empty()) {
      const auto frame = ParseFrame(rest);
      if (!frame)
        return world_.Fail(kI7, "a pull is answered with what isn't a frame: " + frame.error().message);
      checker_.Published(frame->header.progress().position);
      rest = rest.subspan(frame->header.frame_bytes());
    }
    if (answer.reply.answer == PullReply::Answer::kFailed && !world_.went_back())
      world_.Fail(kI7, "the relay can't read its journal: " + answer.reply.text);
    std::vector<Buffer> parts = One(Encode(answer.reply));
    parts.push_back(std::move(answer.frames));
    Reply(ToAsker(letter), MessageType::kFrames, std::move(parts));
  }
}

JournalFacts RelayProcess::Facts() const {
  NoticeBoard::Notes notes = board_.Read();
  return {journal_->durable(), journal_->oldest(), std::move(notes.milestones), std::move(notes.volumes)};
}

std::vector<NodeStatus> RelayProcess::NodesStatus() const {
  return tracker_->Status(Facts(), world_.deadline());
}

void RelayProcess::Retain() {
  const RetentionDecision decision =
      tracker_->Decide(Facts(), world_.timestamp(), world_.deadline(), UINT64_MAX);
  if (decision.drop_through) {
    static_cast<void>(journal_->DropThrough(*decision.drop_through));
    world_.Note("relay: drops groups up to {}, the oldest is now {}", decision.drop_through->value,
                journal_->oldest().position.group.value);
    checker_.Dropped(journal_->oldest(), Needed());
  }
  TryShortOfRoom();
  CheckStatus();
  world_.After(kRetainEvery, life_, [this] { Retain(); });
}

// relay/relay.cc, common/journal/scrubber.cc; and what the writer does when nothing comes.
void RelayProcess::Scrub() {
  if (!open_) writer_->SaveWhenIdle();
  if (!world_.mutations().Has(Fault::kSkipScrub)) {
    // Often enough for what is to be found in time (simulation.cc).
    const std::int64_t steps = world_.profile().rot_every.count() == 0 ? 1 : world_.rng().Between(1, 20);
    for (std::int64_t i = 0; i < steps; ++i) {
      const auto stepped = scrub_.Step(50'000, journal_->durable().position.group);
      if (!stepped) world_.Fail(kI1, "the scrub can't read the journal: " + stepped.error().Text());
    }
    for (const JournalFault& fault : scrub_.TakeNews().found) world_.Note("relay: damage: {}", TextOf(fault));
  }
  world_.After(kScrubEvery, life_, [this] { Scrub(); });
}

Group RelayProcess::Needed() const {
  Group needed = journal_->durable().position.group;
  for (const auto& [replica, at] : checkpoints_()) needed = std::min(needed, at);
  return needed;
}

// What would be decided with no room left. Nobody carries it out: there is no sync yet.
void RelayProcess::TryShortOfRoom() {
  Tracker tracker = *tracker_;
  const JournalFacts facts = Facts();
  const RetentionDecision decision = tracker.Decide(facts, world_.timestamp(), world_.deadline(), 0);
  const bool patient = world_.deadline() - began_ > kSilence;
  const Checkpoints checkpoints = checkpoints_();
  for (const ReplicaName& replica : decision.dropped) {
    const bool primary = std::any_of(facts.volumes.begin(), facts.volumes.end(), [&](const VolumeFact& fact) {
      return fact.volume == replica.volume && fact.primary == replica.node;
    });
    std::vector<Group> others;
    for (const auto& [other, at] : checkpoints) {
      if (other.volume == replica.volume && other.node != replica.node) others.push_back(at);
    }
    checker_.WouldGiveUp(fmt::format("{} of {}", replica.volume.value, replica.node.value),
                         heard_.contains(replica) || (patient && !primary), others, *decision.drop_through);
  }
}

// What every replica needs is there: nobody may be called lost.
void RelayProcess::CheckStatus() const {
  for (const NodeStatus& status : NodesStatus()) {
    if (NeedsHelp(status.state) && !world_.went_back())
      checker_.Diverged(status.node, status.volumes.front().volume,
                        fmt::format("status says {}", TextOf(status.state)));
  }
}

// ---- faults

void RelayProcess::HearNothingOf(const NodeName& node) {
  Report report{{kGroup, node, 0}, 0, {}, {}};
  for (const VolumeName& volume : world_.profile().holds.at(node))
    report.volumes.push_back({volume, ReplicaRole::kSecondary, ReplicaState::kUnknown, {}, {}, ""});
  tracker_->Heard(report, world_.deadline());
}

Letter RelayProcess::Changed(Letter letter) {
  if (letter.type != MessageType::kSubmit) return letter;
  const bool skip_dedup = world_.mutations().Has(Fault::kSkipDedup);
  const bool old_generation = world_.mutations().Has(Fault::kAcceptOldGeneration);
  if (!skip_dedup && !old_generation) return letter;
  for (std::size_t i = 1; i < letter.parts.size(); i += 2) {
    auto record = DecodeRecord(letter.parts[i]);
    if (!record) return letter;
    // Every arrival looks new.
    if (skip_dedup) record->origin.number = ++next_number_;
    // The sequencer is shown what it wants to see; what is journaled is what came.
    for (const VolumeFact& fact : facts()) {
      if (old_generation && fact.volume == record->volume) record->generation = fact.generation;
    }
    letter.parts[i] = EncodeRecord(*record);
  }
  return letter;
}

// The group stays open after its first records were answered.
void RelayProcess::ServeOpenGroup() {
  if (!open_) open_.emplace();
  while (!writes_.empty() && !open_->IsFull() && !life_->dead) {
    Letter letter = std::move(writes_.front());
    writes_.pop_front();
    const std::size_t before = open_->waiting().size();
    Collect(std::move(letter), *open_);
    if (open_->waiting().size() > before) AnswerTooEarly(open_->waiting().back());
  }
  world_.After(milliseconds(2), life_, [this] { FinishOpenGroup(); });
}

void RelayProcess::FinishOpenGroup() {
  if (open_ && open_->messages() > 0) FinishGroup(*std::exchange(open_, std::nullopt));
}

void RelayProcess::AnswerTooEarly(const Forming::Waiting& waiting) {
  const Progress head = journal_->durable();
  Answers answers;
  for (const auto& record : waiting.records) {
    const auto* place = std::get_if<hawser::Place>(&record);
    if (place == nullptr) return;
    Ack ack{Sequence(head.position.sequence.value + place->index + 1), head, false};
    ack.group.position.group = Next(head.position.group);
    answers.answers.emplace_back(ack);
  }
  const Letter letter = FromAsker(waiting.asker);
  network_.Answer(letter.from, letter.token, MessageType::kAnswers, One(Encode(answers)));
}

}  // namespace hawser::sim
