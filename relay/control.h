// The control port: nodes report and are told where the journal is, secondaries pull, people ask for the
// status, give orders to nodes and promote them. It also decides what the journal keeps. Waits for no disk
// (disk.h does), but for looking, once a session, whether the journal holds what the node knows.
#pragma once

#include <atomic>
#include <string>

#include "common/journal/journal.h"
#include "common/net/router.h"
#include "common/net/wake.h"
#include "relay/complaints.h"
#include "relay/disk.h"
#include "relay/evidence.h"
#include "relay/failover_watch.h"
#include "relay/handover.h"
#include "relay/node_news.h"
#include "relay/notice_board.h"
#include "relay/orders.h"
#include "relay/promotions.h"
#include "relay/pull_rounds.h"
#include "relay/tracker.h"

namespace hawser {

class Control {
 public:
  struct Parts {
    std::string group;      // the consistency group's name
    std::uint64_t run = 0;  // random, of this process
    std::chrono::milliseconds retention_interval;
    Router& router;
    const Journal& journal;
    NoticeBoard& board;
    Queue<DiskJob>& jobs;
    Queue<DiskResult>& results;
    HandoverQueue& handovers;
    HandoverFailures& handover_failures;
    const Wake& wake;
    FailoverConfig failover = {};
  };

  Control(const Parts& parts, Tracker tracker)
      : parts_(parts),
        tracker_(std::move(tracker)),
        evidence_(parts.group, parts.journal),
        failover_(parts.group, parts.failover),
        complaints_("control", parts.board) {}

  // Serves until `stop`, which is followed by a wake.
  void Run(const std::atomic<bool>& stop);

 private:
  void Look();  // where the head is, and what is new of the nodes
  void Take(const Asker& from, const Incoming& message);
  void TakeReport(const Asker& from, const Incoming& message);
  void TakePull(const Asker& from, const Incoming& message);
  void TakeOrder(const Asker& from, const Incoming& message);
  void TakePromotion(const Asker& from, const Incoming& message);
  void WatchPrimaries();
  void AdvancePromotions();
  void LookAtPromotions(const PromotionFacts& facts);
  PromotionFacts WhatPromotionsRestOn(NoticeBoard::Notes notes) const;
  void AnswerStatus(const Asker& to);
  bool CheckMember(const Asker& from, const NodeName& node);
  void ServeNextPulls();
  void Do(Pulled pulled);
  void Answer(Pulled pulled);
  void Do(const Measured& measured);
  void HoldWriters(bool hold, std::uint64_t free_bytes);
  std::vector<NodeStatus> NodesStatus(const JournalFacts& facts) const;
  JournalFacts Facts(NoticeBoard::Notes notes) const;
  std::map<NodeName, std::string> WhatIsMissing() const;
  JournalFacts Facts() const;

  const Parts parts_;
  Tracker tracker_;
  Evidence evidence_;
  FailoverWatch failover_;
  Complaints complaints_;
  NodeNews news_;
  Deadline next_news_;
  bool holding_ = false;
  OrderBook orders_;
  Promotions promotions_;
  const Deadline began_ = SteadyClock::now();
  PullRounds pulls_;
  int pulls_at_work_ = 0;  // with the disk, or on their way back
};

}  // namespace hawser
