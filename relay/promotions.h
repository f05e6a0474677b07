// The attempts at promotions that are under way, and those that ended lately: who asked hears how it stands
// by asking again under the same id. Pure: facts and time are given from outside. One thread (control.h).
//
// A volume is in one attempt at a time. Attempts at different volumes don't know of each other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/net/messages.h"
#include "relay/handover.h"
#include "relay/promotion_attempt.h"
#include "relay/promotion_facts.h"

namespace hawser {

class Promotions {
 public:
  // Somebody asks how it stands; the first time it is begun. False: there are too many.
  bool Ask(const PromotionOrder& order, const PromotionFacts& facts);
  // How one stands that was just asked for.
  Promotion Told(std::uint64_t id) const { return entries_.at(id).attempt.told(); }

  // What follows from the facts, for all that are under way. Gives what the writer is to journal, each once.
  // The facts are never older than those of the call before.
  std::vector<Handover> Look(const PromotionFacts& facts);

  // The writer could not journal one.
  void Failed(const HandoverFailure& failure);

  // All that the node is to hold back; it is told so now.
  std::vector<Hold> TellHolds(const NodeName& node, Deadline now);

  bool any_under_way() const;

  // What is new since the last call, for the log.
  std::vector<log::Line> TakeNews();

 private:
  struct Entry {
    PromotionAttempt attempt;
    Deadline asked;
  };
  PromotionAttempt::Taken TakenByOthers(std::uint64_t id) const;

  std::map<std::uint64_t, Entry> entries_;  // by id
};

}  // namespace hawser
