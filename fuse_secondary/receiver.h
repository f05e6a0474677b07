// The thread that receives: the relay's live stream, and by position what the stream has missed. What becomes
// of it is the intake's to decide (intake.h); what the stream brings during a pull waits in its bounded
// queue.
#pragma once

#include <atomic>
#include <thread>

#include "common/config/config.h"
#include "common/net/limits.h"
#include "common/net/requester.h"
#include "common/net/subscriber.h"
#include "fuse_secondary/intake.h"

namespace hawser {

struct ReceiverOptions {
  std::function<Sender()> sender;
  std::uint64_t pull_bytes = kMaxPullBytes;
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
  void Listen();
  void Pull();

  NetContext& context_;
  const RelayConfig relay_;
  const ReceiverOptions options_;
  Intake intake_;
  std::unique_ptr<Subscriber> stream_;
  Requester requester_;
  Deadline heard_ = SteadyClock::now();  // the stream's last message
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace hawser
