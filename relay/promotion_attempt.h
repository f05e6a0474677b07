// One attempt to make a node the primary of volumes, from the wish to its end. Pure: facts and time are given
// from outside. One thread (control.h).
//
//   gathering    it isn't known yet who answers, which decides what moves and how
//   approaching  writers go on until the node's copies lack little, or half of the time is over
//   holding      the present primaries let no more changes begin (Hold), finish those under way and say so;
//                then the node has to apply what the relay had at that moment
//   journaling   the writer was told, and the journal does not say it yet
//   taking over  the journal names the node: it serves as soon as it has applied what came before
//   settled
//
// A primary that doesn't answer isn't waited for (failover): what it was told is acknowledged stands in the
// relay's journal, and behind the promote record nothing of it is taken. Who answers is looked at anew each
// time, so a primary that goes silent in the middle is one that doesn't answer from then on.
//
// Before journaling an attempt can be taken back, and is: at its deadline, or when the node is not fit any
// more. Afterwards it can't; what is left is to say how far the node is.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/messages.h"
#include "relay/handover.h"
#include "relay/promotion_facts.h"

namespace hawser {

class PromotionAttempt {
 public:
  // Volumes that other attempts are under way for, and to which node.
  using Taken = std::map<VolumeName, NodeName>;

  // If the journal says that this very attempt has been carried out (the relay was restarted in between), it
  // goes on from there.
  PromotionAttempt(const PromotionOrder& order, const PromotionFacts& facts);

  // What follows from the facts. Gives what the writer is to journal, once.
  std::optional<Handover> Look(const PromotionFacts& facts, const Taken& taken);
  // The writer could not journal it.
  void Failed(const HandoverFailure& failure);

  // What the node is to hold back; it is told so now.
  std::vector<Hold> TellHolds(const NodeName& node, Deadline now);

  bool settled() const { return phase_ == Phase::kSettled; }
  const NodeName& node() const { return order_.node; }
  // Those that it moves, as far as that is known.
  std::vector<VolumeName> volumes() const;
  Promotion told() const;
  // What is new of it, for the log: its beginning and its end.
  std::vector<log::Line> TakeNews() { return std::exchange(news_, {}); }

 private:
  enum class Phase { kGathering, kApproaching, kHolding, kJournaling, kTakingOver, kSettled };
  struct Moving {
    PromotedVolume told;
    Generation from;
    std::optional<Deadline> asked_to_hold;  // when its primary was told so first
    // What the relay had when the primary was first seen to hold back changes since: all that there is to
    // apply.
    std::optional<Sequence> all;
  };

  void Gather(const PromotionFacts& facts, const Taken& taken);
  std::string WhoIsDoubtful(const PromotionFacts& facts) const;
  std::vector<VolumeFact> Wanted(const PromotionFacts& facts) const;
  std::vector<VolumeFact> Choose(std::vector<VolumeFact> wanted, const PromotionFacts& facts);
  std::string WhyNot(const std::vector<VolumeFact>& chosen, const PromotionFacts& facts,
                     const Taken& taken) const;
  void Resume(const VolumeFact& volume, const Promote& made);

  void Approach(const PromotionFacts& facts);
  std::optional<Handover> HoldUp(const PromotionFacts& facts);
  void AwaitJournal(const PromotionFacts& facts);
  void TakeOver(const PromotionFacts& facts);

  void Follow(const PromotionFacts& facts);
  std::string WhyToStop(const PromotionFacts& facts) const;
  std::string WhatIsWaitedFor(const PromotionFacts& facts) const;
  std::string WhyItDoesNotServe(const PromotionFacts& facts, const Moving& moving) const;
  void TakeBack(const std::string& why);
  void Settle(std::string problem);

  const PromotionOrder order_;
  const Deadline begun_;
  const std::chrono::milliseconds timeout_;
  Phase phase_ = Phase::kGathering;
  std::vector<Moving> moving_;  // from the end of gathering on
  std::string problem_;
  std::string progress_;
  std::string note_;  // to be said at its end
  std::vector<log::Line> news_;
};

}  // namespace hawser
