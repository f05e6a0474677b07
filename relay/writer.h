// The writer: everything between a request and its answer, in one thread. Ingest, sequencing, appending and
// flushing are not split over threads: what arrives during a flush waits in the socket and is the next write
// group, and a write pays for no hand-over (docs/ARCHITECTURE.md).
//
// Run() is the loop over the socket; all that it does with what has arrived is in Collect() and Finish(),
// which know of no socket and no clock. The simulation (tests/sim) drives those.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/journal/journal.h"
#include "common/net/router.h"
#include "relay/complaints.h"
#include "relay/notice_board.h"
#include "relay/queue.h"
#include "relay/saved_state.h"
#include "relay/sequencer.h"

namespace hawser {

// A durable group with the messages that its entries point into. Null in the queue: the head has moved, but
// the frame is too large to publish.
struct DurableFrame {
  Frame frame;
  std::vector<Incoming> messages;
};
using FrameQueue = Queue<std::shared_ptr<const DurableFrame>>;

class Writer {
 public:
  struct Parts {
    std::string group;   // the consistency group's name
    std::string folder;  // the journal's
    std::uint64_t segment_bytes = 0;
    Answerer& answers;
    Journal& journal;
    FrameQueue& published;
    NoticeBoard& board;
    std::function<Timestamp()> clock = Now;
  };

  // A group being formed, and who waits for it.
  struct Forming {
    std::shared_ptr<DurableFrame> frame = std::make_shared<DurableFrame>();
    std::vector<Entry> entries;
    std::uint64_t bytes = 0;
    std::vector<std::vector<Asker>> askers;  // by place in the group
    std::vector<Asker> greeters;
    std::size_t messages = 0;

    bool IsFull() const;
  };

  Writer(const Parts& parts, const Membership& members, SavedState state);

  // Journals who is primary where nobody is yet. Before Run().
  Status AppointPrimaries(const std::map<VolumeName, NodeName>& first);

  // Serves what `router` receives until `stop`; the group in progress is finished, the state saved.
  void Run(Router& router, const std::atomic<bool>& stop);

  // Takes one request into the group being formed, or answers it at once.
  void Collect(Arrival arrival, Forming& forming);
  // Ends the group: makes it durable, answers all that wait for it, hands it on to the stream.
  void Finish(Forming forming);

  // Journals records of the relay itself. Not while a group is being formed.
  Status JournalOwn(const std::vector<Record>& records);

 private:
  void TakeHello(const Asker& from, const Incoming& message, Forming& forming);
  void TakeSubmit(const Asker& from, Incoming message, Forming& forming);
  Status MakeDurable(Forming& forming);
  void AnswerGreeters(const std::vector<Asker>& greeters);
  void RefuseAll(const Forming& forming, const Refusal& refusal);
  void Publish(std::shared_ptr<const DurableFrame> frame);
  void SaveAndPost();
  Status Save();
  void Post();
  static Refusal JournalFull(const Error& error);
  Refusal JournalFailed() const;

  const Parts parts_;
  Sequencer sequencer_;
  std::vector<Progress> milestones_;
  Complaints complaints_;
  std::string journal_failure_;
};

}  // namespace hawser
