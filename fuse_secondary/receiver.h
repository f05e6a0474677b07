// Brings the relay's frames into the own journal: the live stream, and by position what the stream has
// missed.
//
// The stream may lose messages, so it is only ever a quick way to the next frame. A frame is taken if it is
// the one that comes right after what was received, digest and chain checked. Anything else (the start, a
// gap, a head ahead of what was received) means to pull from the relay's control port, in bounded batches,
// until both meet; what the stream brings meanwhile waits in its bounded queue, and what it brings twice is
// dropped. Whatever is waiting is appended, then flushed once, then shown to the replayer.
#pragma once

#include <atomic>
#include <thread>

#include "common/config/config.h"
#include "common/net/requester.h"
#include "common/net/subscriber.h"
#include "fuse_secondary/own_journal.h"
#include "fuse_secondary/replica_board.h"

namespace hawser {

struct ReceiverOptions {
  NodeName node;
  std::uint64_t pull_bytes = 4 * kMiB;
  int stream_queue = 256;
  std::chrono::milliseconds retry_every{1000};
};

class Receiver {
 public:
  // `journal` is open, or is begun after `start` as soon as the relay tells the id of its journal. Everything
  // given outlives the receiver, which starts its thread at once.
  Receiver(NetContext& context, const RelayConfig& relay, OwnJournal& journal, const Progress& start,
           ReplicaBoard& board, ReceiverOptions options);
  ~Receiver() { Stop(); }

  // Ends the thread. What was appended is flushed.
  void Stop();

 private:
  void Run();
  bool Ready();
  void Listen();
  void TakeFromStream(const Incoming& message);
  void Pull();
  void TakeFromPull(const Incoming& reply);
  Status TakeFrames(Bytes frames);
  // Whether the frame is now in the own journal; false if it was there already.
  Result<bool> Take(const Frame& frame);
  void Commit();
  void StreamFails(Condition condition, const std::string& problem);
  void JournalFails(const Error& error);
  bool IsAhead(const Position& head) const;
  Position received() const;

  NetContext& context_;
  const RelayConfig relay_;
  OwnJournal& journal_;
  Progress start_;
  ReplicaBoard& board_;
  const ReceiverOptions options_;
  std::unique_ptr<Subscriber> stream_;
  Requester requester_;
  bool must_pull_ = true;
  SteadyClock::time_point pull_after_;
  SteadyClock::time_point open_after_;
  bool journal_failed_ = false;
  std::string said_;  // the problem that was logged last: each is logged once
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace hawser
