#include "relay/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "relay/limits.h"
#include "relay/recovery.h"

namespace hawser {

namespace {

constexpr auto kStopCheck = std::chrono::milliseconds(50);
constexpr auto kHandoverCheck = std::chrono::milliseconds(5);
constexpr auto kNoWait = std::chrono::milliseconds(0);
constexpr auto kDescriptorPatience = std::chrono::seconds(30);
constexpr auto kSaveAgain = std::chrono::seconds(2);
constexpr auto kTryAgain = std::chrono::milliseconds(20);

}  // namespace

Writer::Writer(const Parts& parts, const Membership& members, SavedState state)
    : parts_(parts),
      sequencer_(members, std::move(state.sequencer)),
      evidence_(parts.group, parts.journal),
      milestones_(std::move(state.milestones)),
      complaints_("write", parts.board) {
  Post();
}

Status Writer::AppointPrimaries(const std::map<VolumeName, NodeName>& first) {
  const std::vector<Record> records = sequencer_.MissingPrimaries(first);
  if (records.empty()) return {};
  for (const Record& record : records) {
    log::info("node {} is the first primary of volume {}", std::get<Promote>(record.body).node.value,
              record.volume.value);
  }
  HAWSER_TRY(JournalOwn(records));
  Save();
  return {};
}

Status Writer::JournalOwn(const std::vector<Record>& records) {
  Forming forming;
  for (const Record& record : records) forming.AddOwn(record, sequencer_.OfferOwn(record));
  const Frames frames = forming.MakeFrames(sequencer_.state().head, GroupTime());
  if (const auto durable = MakeDurable(frames); !durable) {
    static_cast<void>(GiveUp(durable));
    return durable;
  }
  Commit(frames);
  for (const auto& frame : frames) Publish(frame);
  Post();
  return {};
}

Status Writer::HandOver(const Handover& handover) {
  if (!journal_failure_.empty()) return Error{EIO, JournalFailed().text};
  HAWSER_ASSIGN(const std::vector<Record> records, sequencer_.Promotions(handover));
  HAWSER_TRY(JournalOwn(records));
  CrashPoint("relay.promoted");
  for (const Record& record : records) {
    const auto& made = std::get<Promote>(record.body);
    log::Say(
        {!made.planned,
         fmt::format("node {} is the primary of volume {} now, in generation {}, in place of {}, which {}; "
                     "acknowledged before: up to record {}",
                     made.node.value, record.volume.value, record.generation.value, made.previous.value,
                     made.planned ? "had stopped for it" : "could not be asked to stop",
                     made.acknowledged.value)});
  }
  Save();
  return {};
}

void Writer::DoHandovers() {
  if (parts_.handovers == nullptr) return;
  while (const auto handover = parts_.handovers->TryPop()) {
    if (const auto done = HandOver(*handover); !done) {
      log::warn("node {} could not be promoted: {}", handover->to.value, done.error().Text());
      static_cast<void>(parts_.handover_failures->Push(
          {handover->attempt, done.error().Text(), !journal_failure_.empty()}));
    }
    parts_.handed_over();
  }
}

void Writer::Run(Router& router, const std::atomic<bool>& stop) {
  // Of a segment that began right before a crash: when writers are held, no group comes to do it.
  KeepMilestone();
  while (!stop.load()) {
    auto arrival = router.Receive(parts_.board.promoting.load() ? kHandoverCheck : kStopCheck);
    // Before what has arrived is judged: nothing of a former primary shares a formation with its successor.
    DoHandovers();
    Forming forming;
    while (arrival && *arrival) {
      Collect(*std::move(*arrival), forming);
      if (forming.IsFull()) break;
      arrival = router.Receive(kNoWait);
    }
    if (!arrival) {
      log::error("the write port has failed: {}", arrival.error().Text());
      break;
    }
    if (forming.messages() > 0) {
      Finish(std::move(forming));
    } else {
      SaveWhenIdle();
    }
  }
  Save();
}

void Writer::Collect(Arrival arrival, Forming& forming) {
  forming.Count();
  if (!arrival.message)
    return Refuse(parts_.answers, arrival.from, Unreadable(arrival.message.error()), complaints_);
  Incoming message = *std::move(arrival.message);
  if (message.type() == MessageType::kHello && message.parts() == 1) {
    TakeHello(arrival.from, message, forming);
  } else if (message.type() == MessageType::kSubmit) {
    // Not kept until there is room, which may be long: whoever still waits then sends it again. Hellos are
    // taken: a node that was started anew, and whose checkpoint is what the journal is kept for, gets on.
    if (parts_.board.hold_writers.load()) return;
    TakeSubmit(arrival.from, std::move(message), forming);
  } else {
    Refuse(parts_.answers, arrival.from, Misplaced(message, "write"), complaints_);
  }
}

void Writer::TakeHello(const Asker& from, const Incoming& message, Forming& forming) {
  const auto hello = Decode<Hello>(message.part(0));
  if (!hello) return Refuse(parts_.answers, from, Unreadable(hello.error()), complaints_);
  if (const auto refusal = CheckHello(*hello)) return Refuse(parts_.answers, from, *refusal, complaints_);
  const bool alive = parts_.board.HasHeardOf(hello->node, sequencer_.SessionOf(hello->node),
                                             parts_.steady() - parts_.silence);
  const Greeting greeting = sequencer_.Greet(*hello, alive);
  if (const auto* refusal = std::get_if<Refusal>(&greeting))
    return Refuse(parts_.answers, from, *refusal, complaints_);
  std::string replaces;
  if (const auto* begins = std::get_if<Begins>(&greeting)) {
    log::info("node {} begins session {} ({})", hello->node.value, begins->record.origin.session,
              hello->where);
    if (!begins->replaces.empty())
      log::warn("node {}: another process takes the place of {}", hello->node.value, begins->replaces);
    forming.AddOwn(begins->record, begins->place);
    replaces = begins->replaces;
  }
  const std::uint64_t session = sequencer_.SessionOf(hello->node);
  parts_.board.HeardOf(hello->node, session, parts_.steady());
  forming.AddGreeter({from, session, std::move(replaces)});
}

// Before anything follows from it.
std::optional<Refusal> Writer::CheckHello(const Hello& hello) {
  if (auto refusal = evidence_.Check(hello)) {
    Post();  // control shows what is missing
    return refusal;
  }
  if (!journal_failure_.empty()) return JournalFailed();
  if (hello.config != parts_.config)
    log::warn("node {} has another config than this relay: the same file belongs on every machine",
              hello.node.value);
  return std::nullopt;
}

void Writer::TakeSubmit(const Asker& from, Incoming message, Forming& forming) {
  auto read = ReadSubmission(std::move(message));
  if (const auto* refusal = std::get_if<Refusal>(&read))
    return Refuse(parts_.answers, from, *refusal, complaints_);
  const auto& submission = std::get<Submission>(read);
  if (const auto known = forming.Add(from, submission, JudgeAll(submission))) Answer(from, *known);
}

std::vector<Ruling> Writer::JudgeAll(const Submission& submission) {
  const std::size_t count = submission.records.size();
  // Not even what the sequencer knows: what it took last may be on the disk or not.
  if (!journal_failure_.empty()) return std::vector<Ruling>(count, JournalFailed());
  if (submission.batch.run != parts_.run) return std::vector<Ruling>(count, OtherRun());
  const Origin& origin = submission.records.front().origin;
  if (const auto refusal = evidence_.CheckKnown(origin.node, origin.session, submission.batch.known)) {
    Post();
    return std::vector<Ruling>(count, *refusal);
  }
  return sequencer_.Offer(submission.records, submission.batch);
}

void Writer::Finish(Forming forming) {
  if (forming.has_records()) {
    FinishRecords(forming);
  } else {
    WelcomeAll(forming);
  }
}

void Writer::FinishRecords(Forming& forming) {
  const Frames frames = forming.MakeFrames(sequencer_.state().head, GroupTime());
  if (const auto durable = MakeDurable(frames); !durable) return RefuseAll(forming, GiveUp(durable));
  CrashPoint("relay.flushed");
  AnswerAll(forming, Commit(frames));
  CrashPoint("relay.replied");
  log::debug("{} write groups of {} messages are durable, up to group {}", frames.size(), forming.messages(),
             sequencer_.state().head.position.group.value);
  for (const auto& frame : frames) Publish(frame);
  KeepMilestone();
}

// The formation isn't durable: what its records get. Without room they are nowhere, and the next ones may
// have it; any other failure is the journal's end.
Refusal Writer::GiveUp(const JournalStatus& failure) {
  if (failure.why() == JournalFailure::kFailed || failure.why() == JournalFailure::kFenced) {
    Fail(failure);
    return JournalFailed();
  }
  sequencer_.Abandon();
  return JournalFull(failure.error());
}

void Writer::Fail(const JournalStatus& failure) {
  journal_failure_ = failure.error().Text();
  if (failure.why() == JournalFailure::kFenced) {
    log::error("another relay has taken the journal over, nothing more is accepted here: {}",
               journal_failure_);
  } else {
    log::error("the journal has failed, nothing more is accepted: {}", journal_failure_);
  }
  Post();
}

// A milestone is the end of a segment, behind which what the records up to it said is said again. Only then
// is it posted, and the segment may be dropped. So whatever has been dropped, and without any saved state,
// the journal tells who is primary and in which generation, which sessions have ended, and what the newest
// numbers were answered.
//
// Each segment has one, however full it is: on a small disk each of them counts.
void Writer::KeepMilestone() {
  const Progress milestone = parts_.journal.EndAtOrBefore(sequencer_.state().head.position.group);
  const Progress last = milestones_.empty() ? parts_.journal.oldest() : milestones_.back();
  if (milestone.position.group <= last.position.group) return;
  if (auto restated = JournalOwn(sequencer_.state().Facts()); !restated) {
    log::warn("old segments of the journal stay for now: {}", restated.error().Text());
    return;
  }
  AddMilestone(milestones_, milestone);
  ForgetMilestones(milestones_, parts_.journal.oldest());
  Save();
  Post();
}

// Never before the group that came before, whatever the wall clock does.
Timestamp Writer::GroupTime() const { return std::max(parts_.clock(), sequencer_.state().head.time); }

JournalStatus Writer::MakeDurable(const Frames& frames) {
  std::vector<const Frame*> pointers;
  pointers.reserve(frames.size());
  for (const auto& frame : frames) pointers.push_back(&frame->frame);
  if (auto appended = AppendPatiently(pointers); !appended) return appended;
  CrashPoint("relay.appended");
  return parts_.journal.Flush();
}

// Whoever waits goes on waiting while connections come and go and take all descriptors.
JournalStatus Writer::AppendPatiently(std::span<const Frame* const> frames) {
  const Deadline deadline = SteadyClock::now() + kDescriptorPatience;
  auto appended = parts_.journal.Append(frames);
  const auto starves = [&] { return !appended && appended.why() == JournalFailure::kNoDescriptors; };
  if (starves()) log::warn("the journal waits for a file descriptor: {}", appended.error().Text());
  while (starves() && SteadyClock::now() < deadline) {
    std::this_thread::sleep_for(kTryAgain);
    appended = parts_.journal.Append(frames);
  }
  return appended;
}

std::vector<std::vector<Ack>> Writer::Commit(const Frames& frames) {
  std::vector<Progress> after;
  after.reserve(frames.size());
  for (const auto& frame : frames) after.push_back(frame->frame.header.progress());
  return sequencer_.Commit(after);
}

void Writer::AnswerAll(const Forming& forming, const std::vector<std::vector<Ack>>& acks) {
  for (const Forming::Waiting& waiting : forming.waiting()) Answer(waiting.asker, AnswersFor(waiting, acks));
  WelcomeAll(forming);
}

void Writer::Answer(const Asker& asker, const Answers& answers) {
  for (const hawser::Answer& answer : answers.answers) {
    if (const auto* refusal = std::get_if<Refusal>(&answer)) complaints_.Note(refusal->text);
  }
  parts_.answers.ReplyOne(asker, MessageType::kAnswers, Encode(answers));
}

// The sessions are in the journal: after a restart, too, older ones stay ended. They are posted first: a head
// that was read before a session was found to be the newest holds nothing of a newer one.
void Writer::WelcomeAll(const Forming& forming) {
  if (forming.greeters().empty()) return;
  Post();
  Welcome welcome{
      parts_.run, 0, {}, sequencer_.state().head, parts_.journal.oldest(), sequencer_.VolumeFacts()};
  for (const Forming::Greeter& greeter : forming.greeters()) {
    welcome.session = greeter.session;
    welcome.replaces = greeter.replaces;
    parts_.answers.ReplyOne(greeter.asker, MessageType::kWelcome, Encode(welcome));
  }
  Save();  // sessions are few, and a restart then has less to read
}

void Writer::RefuseAll(const Forming& forming, const Refusal& refusal) {
  for (const Forming::Waiting& waiting : forming.waiting())
    Answer(waiting.asker, AnswersFor(waiting, refusal));
  for (const Forming::Greeter& greeter : forming.greeters())
    Refuse(parts_.answers, greeter.asker, refusal, complaints_);
}

// A full queue drops the frame: the publisher announces the head, and secondaries pull what they miss.
void Writer::Publish(std::shared_ptr<DurableFrame> frame) {
  const bool too_large = std::max(frame->owned_bytes, frame->frame.header.frame_bytes()) > kMaxPublishedBytes;
  if (too_large) frame.reset();
  static_cast<void>(parts_.published.Push(std::move(frame)));
}

// So that the loss of what came since the segment began is noticed, too. Nobody waits for it.
void Writer::SaveWhenIdle() {
  if (saved_ == sequencer_.state().head.position.group || parts_.steady() - saved_at_ < kSaveAgain) return;
  Save();
}

// Only what is durable: a journal that ends before what is saved has lost something (recovery.h).
void Writer::Save() {
  saved_ = sequencer_.state().head.position.group;
  saved_at_ = parts_.steady();
  if (auto saved = SaveState(parts_.folder, {sequencer_.state(), milestones_}); !saved)
    log::warn("the relay's state is not saved, a restart will read more of the journal: {}",
              saved.error().Text());
}

void Writer::Post() {
  std::map<NodeName, std::uint64_t> sessions;
  for (const auto& [node, state] : sequencer_.state().nodes) sessions.emplace(node, state.session);
  parts_.board.Post({sequencer_.VolumeFacts(), milestones_, std::move(sessions), journal_failure_,
                     evidence_.missing(), sequencer_.Made()});
}

Refusal Writer::OtherRun() {
  return {RefusalCode::kOtherRun, "the relay was started after this batch was made: it is asked for again"};
}

Refusal Writer::JournalFull(const Error& error) {
  return {RefusalCode::kJournalFull,
          fmt::format("the relay's journal has no room: {}; make room and try again", error.Text())};
}

Refusal Writer::JournalFailed() const {
  return {RefusalCode::kJournalFailed, "the relay's journal has failed: " + journal_failure_ +
                                           "; repair its disk, then restart the relay"};
}

}  // namespace hawser
