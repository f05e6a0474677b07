// The relay's machine: its disk and folder outlive its processes.
//
// A process is the production code of relay/: journal, recovery, Writer (with its Sequencer), PullServer,
// Tracker. What its threads and sockets do around them is done by events here, as relay/relay.cc, control.cc,
// disk.cc and stream.cc do.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "common/journal/scrub.h"
#include "relay/evidence.h"
#include "relay/notice_board.h"
#include "relay/pull_server.h"
#include "relay/tracker.h"
#include "relay/writer.h"
#include "tests/sim/checker.h"
#include "tests/sim/network.h"
#include "tests/sim/sim_disk.h"
#include "tests/support/forwarding_journal.h"

namespace hawser::sim {

// The relay's journal with the checker beside it, and the faults that lie in it.
class WatchedJournal : public test::ForwardingJournal {
 public:
  WatchedJournal(World& world, Checker& checker, LifePtr life, std::unique_ptr<Journal> journal)
      : ForwardingJournal(std::move(journal)), world_(world), checker_(checker), life_(std::move(life)) {}

  void set_on_appended(std::function<void(const Frame&)> hook) { on_appended_ = std::move(hook); }

  JournalStatus Append(std::span<const Frame* const> frames) override;
  JournalStatus Flush() override;
  JournalStatus FlushNow();
  Progress durable() const override;

 private:
  World& world_;
  Checker& checker_;
  LifePtr life_;
  std::function<void(const Frame&)> on_appended_;
};

// An older copy of the journal, which must stay as it is: every node knows of what it lacks.
class OldJournal : public test::ForwardingJournal {
 public:
  OldJournal(World& world, std::unique_ptr<Journal> journal)
      : ForwardingJournal(std::move(journal)), world_(world) {}

  JournalStatus Append(std::span<const Frame* const> frames) override;

 private:
  World& world_;
};

class RelayProcess : public RelayEnd, private Answerer {
 public:
  // `went_back`: `folder` holds an older copy of the journal.
  RelayProcess(World& world, Network& network, Checker& checker, SimDisk& disk, std::string folder,
               bool went_back, LifePtr life);
  ~RelayProcess() override;

  // Recovers and serves. An error: the process ends again.
  Status Start();
  void Arrive(const Letter& letter) override;
  // Makes `node` the volume's primary in its next generation.
  Status MakePrimary(const VolumeName& volume, const NodeName& node);
  bool failed() const { return !board_.Read().journal_failure.empty(); }
  std::vector<VolumeFact> facts() const { return board_.Read().volumes; }
  std::vector<NodeStatus> NodesStatus() const;
  // What the scrub has found in the journal.
  std::vector<JournalFault> damage() const { return scrub_.faults(); }
  // The checkpoints that replicas would redo from, as they are on their disks.
  using Checkpoints = std::map<ReplicaName, Group>;
  void set_checkpoints(std::function<Checkpoints()> checkpoints) { checkpoints_ = std::move(checkpoints); }

 private:
  Status OpenJournal();
  void Reply(const Asker& to, MessageType type, std::vector<Buffer> parts) override;

  void ServeWrites();
  void ServeOpenGroup();
  void FinishOpenGroup();
  void Collect(Letter letter, Forming& forming);
  void NoteBatch(const Asker& asker, std::vector<Buffer>& parts);
  void FinishGroup(Forming forming);
  void ServeControl();
  void TakeControl(const Letter& letter);
  void PublishQueued();
  void PublishHead();
  void Retain();
  void Scrub();
  Group Needed() const;
  void TryShortOfRoom();
  void HearNothingOf(const NodeName& node);
  void CheckStatus() const;
  JournalFacts Facts() const;
  Letter Changed(Letter letter);
  void AnswerTooEarly(const Forming::Waiting& waiting);

  World& world_;
  Network& network_;
  Checker& checker_;
  SimDisk& disk_;
  const std::string folder_;
  const bool went_back_;
  const std::uint64_t run_;
  const LifePtr life_;
  const Membership members_;
  NoticeBoard board_;
  FrameQueue frames_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<PullServer> pulls_;
  std::optional<Evidence> evidence_;
  std::unique_ptr<Tracker> tracker_;
  std::function<Checkpoints()> checkpoints_;
  Deadline began_;
  std::set<ReplicaName> heard_;

  JournalScrub scrub_;

  std::deque<Letter> writes_;
  std::deque<Letter> controls_;
  std::map<std::string, std::vector<std::uint64_t>> calls_;  // of a batch, by who waits for its answers
  bool write_turn_ = false;
  bool control_turn_ = false;
  // Faults.
  std::uint64_t next_number_ = 0;
  std::uint64_t next_report_ = 0;
  std::optional<Forming> open_;
};

}  // namespace hawser::sim
