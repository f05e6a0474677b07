#include "relay/writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "relay/limits.h"
#include "relay/recovery.h"

namespace hawser {

namespace {

constexpr auto kStopCheck = std::chrono::milliseconds(50);
constexpr auto kNoWait = std::chrono::milliseconds(0);

std::vector<Buffer> OnePart(Buffer part) {
  std::vector<Buffer> parts;
  parts.push_back(std::move(part));
  return parts;
}

}  // namespace

bool Writer::Forming::IsFull() const {
  return messages >= kMaxGroupRecords || bytes + kMaxRecordBytes > kMaxGroupBytes;
}

Writer::Writer(const Parts& parts, const Membership& members, SavedState state)
    : parts_(parts),
      sequencer_(members, std::move(state.sequencer)),
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
  return JournalOwn(records);
}

Status Writer::JournalOwn(const std::vector<Record>& records) {
  Forming forming;
  std::vector<Buffer> headers;
  headers.reserve(records.size());
  for (const Record& record : records) {
    headers.push_back(EncodeRecord(record));
    forming.entries.push_back({headers.back(), {}});
    sequencer_.OfferOwn(record);
  }
  if (auto durable = MakeDurable(forming); !durable) {
    journal_failure_ = durable.error().Text();
    Post();
    return durable;
  }
  sequencer_.Commit(forming.frame->frame.header.progress());
  AddMilestone(milestones_, sequencer_.state().head, parts_.segment_bytes);
  HAWSER_TRY(Save());
  Post();
  return {};
}

void Writer::Run(Router& router, const std::atomic<bool>& stop) {
  while (!stop.load()) {
    auto arrival = router.Receive(kStopCheck);
    Forming forming;
    while (arrival && *arrival) {
      Collect(**std::move(arrival), forming);
      if (forming.IsFull()) break;
      arrival = router.Receive(kNoWait);
    }
    if (!arrival) {
      log::error("the write port has failed: {}", arrival.error().Text());
      break;
    }
    if (forming.messages > 0) Finish(std::move(forming));
  }
  SaveAndPost();
}

void Writer::Collect(Arrival arrival, Forming& forming) {
  ++forming.messages;
  // Not kept until there is room, which may be long: whoever still waits then sends it again.
  if (parts_.board.hold_writers.load()) return;
  if (!arrival.message)
    return Refuse(parts_.answers, arrival.from, Unreadable(arrival.message.error()), complaints_);
  Incoming message = *std::move(arrival.message);
  if (!journal_failure_.empty()) return Refuse(parts_.answers, arrival.from, JournalFailed(), complaints_);
  if (message.type() == MessageType::kHello && message.parts() == 1) {
    TakeHello(arrival.from, message, forming);
  } else if (message.type() == MessageType::kSubmit && message.parts() == 2) {
    TakeSubmit(arrival.from, std::move(message), forming);
  } else {
    Refuse(parts_.answers, arrival.from, Misplaced(message, "write"), complaints_);
  }
}

void Writer::TakeHello(const Asker& from, const Incoming& message, Forming& forming) {
  const auto hello = Decode<Hello>(message.part(0));
  if (!hello) return Refuse(parts_.answers, from, Unreadable(hello.error()), complaints_);
  if (const auto refusal = sequencer_.Greet(*hello))
    return Refuse(parts_.answers, from, *refusal, complaints_);
  log::info("node {} begins session {}", hello->node.value, hello->session);
  forming.greeters.push_back(from);
}

void Writer::TakeSubmit(const Asker& from, Incoming message, Forming& forming) {
  const Bytes header = message.part(0);
  const Bytes payload = message.part(1);
  if (header.size() > kMaxRecordHeaderBytes || payload.size() > kMaxPayloadBytes) {
    return Refuse(parts_.answers, from,
                  {RefusalCode::kTooLarge,
                   fmt::format("a record of {} + {} bytes is over the limit of {} + {}", header.size(),
                               payload.size(), kMaxRecordHeaderBytes, kMaxPayloadBytes)},
                  complaints_);
  }
  auto record = DecodeRecord(header, payload);
  if (!record) return Refuse(parts_.answers, from, Unreadable(record.error()), complaints_);
  std::visit(Overloaded{
                 [&](const Accepted&) {
                   forming.entries.push_back({header, payload});
                   forming.bytes += header.size() + payload.size();
                   forming.askers.push_back({from});
                   forming.frame->messages.push_back(std::move(message));
                 },
                 [&](const AlreadyPending& pending) { forming.askers[pending.index].push_back(from); },
                 [&](const Repeated& repeated) {
                   parts_.answers.Reply(from, MessageType::kAck, OnePart(Encode(repeated.ack)));
                 },
                 [&](const Refusal& refusal) { Refuse(parts_.answers, from, refusal, complaints_); },
             },
             sequencer_.Offer(*std::move(record)));
}

void Writer::Finish(Forming forming) {
  if (!forming.entries.empty()) {
    auto durable = MakeDurable(forming);
    if (!durable && IsNoRoom(durable.error())) {
      sequencer_.Abandon();
      return RefuseAll(forming, JournalFull(durable.error()));
    }
    if (!durable) {
      journal_failure_ = durable.error().Text();
      log::error("the journal has failed, nothing more is accepted: {}", journal_failure_);
      Post();
      return RefuseAll(forming, JournalFailed());
    }
    CrashPoint("relay.flushed");
    const std::vector<Ack> acks = sequencer_.Commit(forming.frame->frame.header.progress());
    for (std::size_t i = 0; i < acks.size(); ++i) {
      for (const Asker& asker : forming.askers[i])
        parts_.answers.Reply(asker, MessageType::kAck, OnePart(Encode(acks[i])));
    }
    CrashPoint("relay.replied");
    Publish(std::move(forming.frame));
    if (AddMilestone(milestones_, sequencer_.state().head, parts_.segment_bytes)) SaveAndPost();
  }
  if (!forming.greeters.empty()) AnswerGreeters(forming.greeters);
}

Status Writer::MakeDurable(Forming& forming) {
  const Progress& head = sequencer_.state().head;
  // Never before the group that came before, whatever the wall clock does.
  const Timestamp time = std::max(parts_.clock(), head.time);
  forming.frame->frame = MakeFrame(head, time, std::move(forming.entries));
  HAWSER_TRY(parts_.journal.Append(forming.frame->frame));
  CrashPoint("relay.appended");
  return parts_.journal.Flush();
}

// The new sessions are on the disk before they are welcome: after a restart, too, older ones stay ended.
void Writer::AnswerGreeters(const std::vector<Asker>& greeters) {
  if (auto saved = Save(); !saved) {
    const Refusal refusal = JournalFull(saved.error());
    for (const Asker& asker : greeters) Refuse(parts_.answers, asker, refusal, complaints_);
    return;
  }
  const Welcome welcome{parts_.group, sequencer_.state().head, parts_.journal.oldest(),
                        sequencer_.VolumeFacts()};
  for (const Asker& asker : greeters)
    parts_.answers.Reply(asker, MessageType::kWelcome, OnePart(Encode(welcome)));
}

void Writer::RefuseAll(const Forming& forming, const Refusal& refusal) {
  for (const auto& askers : forming.askers) {
    for (const Asker& asker : askers) Refuse(parts_.answers, asker, refusal, complaints_);
  }
  for (const Asker& asker : forming.greeters) Refuse(parts_.answers, asker, refusal, complaints_);
}

// A full queue drops the frame: the publisher announces the head, and secondaries pull what they miss.
void Writer::Publish(std::shared_ptr<const DurableFrame> frame) {
  if (frame->frame.header.frame_bytes() > kMaxPublishedBytes) frame.reset();
  static_cast<void>(parts_.published.Push(std::move(frame)));
}

Status Writer::Save() { return SaveState(parts_.folder, {sequencer_.state(), milestones_}); }

// Milestones are posted, and so may be deleted up to, only when the saved state no longer needs what is
// before them.
void Writer::SaveAndPost() {
  ForgetMilestones(milestones_, parts_.journal.oldest());
  if (auto saved = Save(); !saved) {
    log::warn("the relay's state is not saved, a restart will read more of the journal: {}",
              saved.error().Text());
    return;
  }
  Post();
}

void Writer::Post() { parts_.board.Post({sequencer_.VolumeFacts(), milestones_, journal_failure_}); }

Refusal Writer::JournalFull(const Error& error) {
  return {RefusalCode::kJournalFull,
          fmt::format("the relay's disk has no room: {}; make room and try again", error.Text())};
}

Refusal Writer::JournalFailed() const {
  return {RefusalCode::kJournalFailed, "the relay's journal has failed: " + journal_failure_ +
                                           "; repair its disk, then restart the relay"};
}

}  // namespace hawser
