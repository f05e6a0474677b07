#include "fuse_secondary/intake.h"

#include <fmt/format.h>

#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "volume/store/store.h"

namespace hawser {

namespace {

// The frame that stream messages carry: [front][header][payload]...
Result<Frame> FrameOf(const Incoming& message) {
  if (message.parts() == 0) return Error{EBADMSG, "a frame without a front"};
  std::vector<Bytes> parts;
  for (std::size_t i = 1; i < message.parts(); ++i) parts.push_back(message.part(i));
  return ParseFrameParts(message.part(0), parts);
}

Condition ConditionOf(const Error& error) {
  switch (error.code) {
    case ENODATA:
      return Condition::kNeedsSync;
    case kStoreDiverged:
      return Condition::kDiverged;
    default:
      return Condition::kStalled;
  }
}

}  // namespace

Intake::Intake(OwnJournal& journal, const Progress& start, ReplicaBoard& board, IntakeOptions options)
    : journal_(journal), start_(start), board_(board), options_(std::move(options)) {}

bool Intake::Ready(Deadline now) {
  if (journal_.is_open()) return true;
  if (!journal_failed_) return true;
  if (now < open_after_) return false;
  if (const Status opened = journal_.Open(start_); !opened) {
    JournalFails(opened.error(), now);
    return false;
  }
  journal_failed_ = false;
  said_.clear();
  log::info("own journal is open again at {}", journal_.durable().position.Text());
  board_.SetStream(Condition::kFine, "");
  board_.Received(journal_.durable());
  must_pull_ = true;
  return true;
}

void Intake::TakeFromStream(const Incoming& message, Deadline now) {
  if (message.type() == MessageType::kHead) {
    if (message.parts() != 1) return;
    const auto head = Decode<Head>(message.part(0));
    if (!head) return;
    board_.Heard(head->head);
    if (IsElsewhere(head->head.position)) must_pull_ = true;
    return;
  }
  if (message.type() != MessageType::kFrame) return;
  const auto frame = FrameOf(message);
  if (!frame) {
    log::warn("a frame of the relay's stream is damaged and is asked for again: {}", frame.error().Text());
    must_pull_ = true;
    return;
  }
  board_.Heard(frame->header.progress());
  if (!journal_.is_open()) return;
  // Whether a frame that doesn't fit is a gap or a divergence is for the relay to say.
  if (const auto taken = Take(*frame, now); !taken) must_pull_ = true;
}

Buffer Intake::PullRequest() const {
  return Encode(Pull{.from = options_.sender(), .after = received(), .max_bytes = options_.pull_bytes});
}

// Away: the board knows since when. Its stream is listened to before it is asked again.
void Intake::PullFailed(Deadline now) { pull_after_ = now + options_.retry_every; }

// What the relay has answered, if it gives frames. Otherwise the stream has failed, and this says why.
std::optional<PullReply> Intake::AnswerToPull(const Incoming& reply, Deadline now) {
  const auto fail = [&](Condition condition, const std::string& why) {
    StreamFails(now, condition, why);
    return std::nullopt;
  };
  if (reply.type() == MessageType::kRefusal && reply.parts() >= 1) {
    const auto refusal = Decode<Refusal>(reply.part(0));
    return fail(Condition::kStalled, "the relay refuses to hand out its journal: " +
                                         (refusal ? refusal->text : refusal.error().Text()));
  }
  if (reply.type() != MessageType::kFrames || reply.parts() < 1)
    return fail(Condition::kStalled, "the relay's answer to a pull can't be understood");
  auto answer = Decode<PullReply>(reply.part(0));
  if (!answer) return fail(Condition::kStalled, "the relay's answer to a pull: " + answer.error().Text());
  board_.Heard(answer->head);

  switch (answer->answer) {
    case PullReply::Answer::kFrames:
      return *std::move(answer);
    case PullReply::Answer::kGone:
      return fail(Condition::kNeedsSync,
                  fmt::format("the relay no longer has what comes after {}; this node needs a sync: {}",
                              received().Text(), answer->text));
    case PullReply::Answer::kDiverged:
      return fail(
          Condition::kDiverged,
          fmt::format("what this node received up to {} is not what the relay's journal holds there: {}",
                      received().Text(), answer->text));
    case PullReply::Answer::kFailed:
      break;
  }
  return fail(Condition::kStalled, "the relay can't read its journal: " + answer->text);
}

void Intake::TakeFromPull(const Incoming& reply, Deadline now) {
  const auto answer = AnswerToPull(reply, now);
  if (!answer) return;
  if (!journal_.is_open()) {
    if (start_.position.group == Group{}) start_.position.journal = answer->head.position.journal;
    if (const Status opened = journal_.Open(start_); !opened) return JournalFails(opened.error(), now);
    board_.Received(journal_.durable());
  }
  const Position before = received();
  log::debug("pulled {} bytes after {}; the relay's head is {}", reply.parts() > 1 ? reply.part(1).size() : 0,
             before.Text(), answer->head.position.Text());
  if (reply.parts() > 1) {
    if (const Status taken = TakeFrames(reply.part(1), now); !taken) {
      if (journal_.is_open()) StreamFails(now, ConditionOf(taken.error()), taken.error().Text());
      return;
    }
  }
  if (!journal_.is_open()) return;
  if (received().group >= answer->head.position.group) {
    must_pull_ = false;
  } else if (received() == before) {
    pull_after_ = now + options_.retry_every;
    return;
  }
  said_.clear();
  board_.SetStream(Condition::kFine, "");
}

// Whole frames, one after the other.
Status Intake::TakeFrames(Bytes frames, Deadline now) {
  while (!frames.empty()) {
    HAWSER_ASSIGN(const Frame frame, ParseFrame(frames));
    HAWSER_ASSIGN(const bool taken, Take(frame, now));
    static_cast<void>(taken);
    frames = frames.subspan(frame.header.frame_bytes());
  }
  return {};
}

Result<bool> Intake::Take(const Frame& frame, Deadline now) {
  const Progress& last = journal_.appended();
  if (frame.header.journal == last.position.journal && frame.header.group <= last.position.group) {
    // Seen already. The last one tells at once whether it was the same.
    if (frame.header.group == last.position.group && frame.header.digest != last.position.digest)
      return Error{kStoreDiverged,
                   "the relay holds another " + last.position.Text() + " than was received here"};
    return false;
  }
  if (frame.header.group > Next(last.position.group)) {
    return Error{ENODATA,
                 fmt::format("the relay no longer has what comes after {}, its oldest is group {}; this node "
                             "needs a sync",
                             last.position.Text(), frame.header.group.value)};
  }
  if (const Status follows = CheckFollows(last, frame.header); !follows)
    return Error{kStoreDiverged,
                 "the relay's journal parts from what was received here: " + follows.error().message};
  CrashPoint("secondary.received");
  if (Status appended = journal_.Append(frame); !appended) {
    JournalFails(appended.error(), now);
    return std::move(appended).error();
  }
  CrashPoint("secondary.appended");
  return true;
}

// One flush for all that was appended; only then anybody sees it.
void Intake::Commit(Deadline now) {
  if (!journal_.is_open() || journal_.appended() == journal_.durable()) return;
  if (const Status flushed = journal_.Flush(); !flushed) return JournalFails(flushed.error(), now);
  CrashPoint("secondary.flushed");
  board_.Received(journal_.durable());
}

void Intake::StreamFails(Deadline now, Condition condition, const std::string& problem) {
  if (problem != said_) log::error("{}", problem);
  said_ = problem;
  board_.SetStream(condition, problem);
  must_pull_ = true;
  pull_after_ = now + options_.retry_every;
}

void Intake::JournalFails(const Error& error, Deadline now) {
  journal_.Close();
  journal_failed_ = true;
  start_ = board_.received().position.group > start_.position.group ? board_.received() : start_;
  open_after_ = now + options_.retry_every;
  StreamFails(now, Condition::kStalled,
              fmt::format("receiving has stopped, the own journal '{}' fails: {}; it goes on by "
                          "itself once that is mended",
                          journal_.folder(), error.Text()));
}

// Whether the relay's head isn't what was received last. One that is behind it is an old message, or the
// relay has lost what it had: its answer to a pull tells.
bool Intake::IsElsewhere(const Position& head) const { return head != received(); }

Position Intake::received() const {
  return journal_.is_open() ? journal_.appended().position : start_.position;
}

}  // namespace hawser
