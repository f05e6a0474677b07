// What becomes of the relay's frames: which are taken into the own journal, when to pull instead, what to do
// when the journal fails. The receiver (receiver.h) does the talking. No sockets, no thread, no clock: the
// simulation (tests/sim) drives it too.
//
// The stream may lose messages, so it is only ever a quick way to the next frame. A frame is taken if it is
// the one that comes right after what was received, digest and chain checked. Anything else (the start, a
// gap, a head ahead of what was received) means to pull from the relay's control port, in bounded batches,
// until both meet; what the stream brings twice is dropped. What was taken is shown to the replayer when it
// has been flushed.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/net/limits.h"
#include "common/net/messages.h"
#include "common/net/requester.h"
#include "fuse_secondary/own_journal.h"
#include "fuse_secondary/replica_board.h"

namespace hawser {

struct IntakeOptions {
  std::function<Sender()> sender;  // who pulls, at present
  std::uint64_t pull_bytes = kMaxPullBytes;
  std::chrono::milliseconds retry_every{1000};
};

// One thread.
class Intake {
 public:
  // `journal` is open, or is begun after `start` as soon as the relay tells the id of its journal. Everything
  // given outlives this.
  Intake(OwnJournal& journal, const Progress& start, ReplicaBoard& board, IntakeOptions options);

  // Whether frames can be taken: the own journal is open, or is to be begun with the relay's answer to a
  // pull. One that has failed is opened again when it is time.
  bool Ready(Deadline now);
  // Whether the stream isn't enough, and since when the relay may be asked again.
  bool must_pull() const { return must_pull_; }
  bool PullIsDue(Deadline now) const { return must_pull_ && now >= pull_after_; }

  // Nothing comes: the stream may be lost though the relay is there.
  void StreamIsSilent() { must_pull_ = true; }

  // A message of the stream.
  void TakeFromStream(const Incoming& message, Deadline now);

  Buffer PullRequest() const;
  void TakeFromPull(const Incoming& reply, Deadline now);
  void PullFailed(Deadline now);  // no answer

  // One flush for all that was appended; only then anybody sees it.
  void Commit(Deadline now);

  // Bytes of the journal so far; 0 as long as it is closed.
  std::uint64_t appended_bytes() const { return journal_.is_open() ? journal_.appended().journal_bytes : 0; }

 private:
  Status TakeFrames(Bytes frames, Deadline now);
  // Whether the frame is now in the own journal; false if it was there already.
  Result<bool> Take(const Frame& frame, Deadline now);
  std::optional<PullReply> AnswerToPull(const Incoming& reply, Deadline now);
  void StreamFails(Deadline now, Condition condition, const std::string& problem);
  void JournalFails(const Error& error, Deadline now);
  bool IsElsewhere(const Position& head) const;
  Position received() const;

  OwnJournal& journal_;
  Progress start_;
  ReplicaBoard& board_;
  const IntakeOptions options_;
  bool must_pull_ = true;
  Deadline pull_after_;
  Deadline open_after_;
  bool journal_failed_ = false;
  std::string said_;  // the problem that was logged last: each is logged once
};

}  // namespace hawser
