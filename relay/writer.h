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
#include <span>
#include <string>
#include <vector>

#include "common/journal/journal.h"
#include "common/net/router.h"
#include "relay/complaints.h"
#include "relay/evidence.h"
#include "relay/forming.h"
#include "relay/handover.h"
#include "relay/notice_board.h"
#include "relay/saved_state.h"
#include "relay/sequencer.h"
#include "relay/submission.h"

namespace hawser {

class Writer {
 public:
  struct Parts {
    std::string group;   // the consistency group's name
    std::string folder;  // for the saved state
    Answerer& answers;
    Journal& journal;
    FrameQueue& published;
    NoticeBoard& board;
    std::uint64_t config = 0;  // AgreementOf the relay's config
    std::uint64_t run = 0;     // random, of this process
    std::function<Timestamp()> clock = Now;
    std::function<Deadline()> steady = SteadyClock::now;
    SteadyClock::duration silence{};  // a session without a word for so long may be replaced by anybody
    // From control, and back what could not be done. `handed_over` is called after each. Null: nobody
    // promotes.
    HandoverQueue* handovers = nullptr;
    HandoverFailures* handover_failures = nullptr;
    std::function<void()> handed_over = [] {};
  };

  Writer(const Parts& parts, const Membership& members, SavedState state);

  // Journals who is primary where nobody is yet. Before Run().
  Status AppointPrimaries(const std::map<VolumeName, NodeName>& first);

  // Serves what `router` receives until `stop`; the group in progress is finished, the state saved.
  void Run(Router& router, const std::atomic<bool>& stop);

  // Takes one request into the groups being formed, or answers it at once.
  void Collect(Arrival arrival, Forming& forming);
  // Ends the groups: makes them durable, answers all that wait for them, hands them on to the stream.
  void Finish(Forming forming);
  // Nothing came: the state is saved if it is a while since it was.
  void SaveWhenIdle();

  // Journals that a node takes volumes over, all at one place in the order. When this returns without error,
  // nothing of their former primaries enters the journal any more (I6). Not while groups are being formed.
  Status HandOver(const Handover& handover);

  // Journals records of the relay itself and hands them on. Not while groups are being formed.
  Status JournalOwn(const std::vector<Record>& records);

 private:
  void DoHandovers();
  void TakeHello(const Asker& from, const Incoming& message, Forming& forming);
  std::optional<Refusal> CheckHello(const Hello& hello);
  void TakeSubmit(const Asker& from, Incoming message, Forming& forming);
  std::vector<Ruling> JudgeAll(const Submission& submission);
  using Frames = std::vector<std::shared_ptr<DurableFrame>>;
  JournalStatus MakeDurable(const Frames& frames);
  JournalStatus AppendPatiently(std::span<const Frame* const> frames);
  Refusal GiveUp(const JournalStatus& failure);
  void Fail(const JournalStatus& failure);
  void KeepMilestone();
  void FinishRecords(Forming& forming);
  std::vector<std::vector<Ack>> Commit(const Frames& frames);
  Timestamp GroupTime() const;
  void AnswerAll(const Forming& forming, const std::vector<std::vector<Ack>>& acks);
  void WelcomeAll(const Forming& forming);
  void Answer(const Asker& asker, const Answers& answers);
  void RefuseAll(const Forming& forming, const Refusal& refusal);
  void Publish(std::shared_ptr<DurableFrame> frame);
  void Save();
  void Post();
  static Refusal OtherRun();
  static Refusal JournalFull(const Error& error);
  Refusal JournalFailed() const;

  const Parts parts_;
  Sequencer sequencer_;
  Evidence evidence_;
  std::vector<Progress> milestones_;
  Group saved_;  // up to where the state was saved last, and when
  Deadline saved_at_;
  Complaints complaints_;
  std::string journal_failure_;
};

}  // namespace hawser
