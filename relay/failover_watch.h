// Automatic failover: when a primary is lost, and who takes its place. Pure: facts and time are given from
// outside. One thread (control.h).
//
// A primary is lost when nothing was heard of it for `detect`, or when it says itself that its store has
// failed. That an exchange failed says nothing: a relay that has just started, or that was held up itself,
// has heard of nobody for a while, and counts from when it listens again. One that reports and is slow is
// left alone.
//
// In its place comes the first of the candidates that is connected and fit for it (PromotionFacts::WhyNot),
// for all volumes of the lost primary that it holds. What becomes of that is Promotions' matter; an attempt
// that came to nothing is made again after `detect`, as long as the primary is lost.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/log.h"
#include "common/config/config.h"
#include "common/net/messages.h"
#include "relay/promotion_facts.h"

namespace hawser {

// A primary that is lost, for people.
struct LostPrimary {
  NodeName primary;
  std::vector<VolumeName> volumes;
  std::string why;                    // "not heard of for 6 s", "its store has failed: ..."
  std::optional<NodeName> candidate;  // who takes its place, or would
  std::string problem;                // why nobody does; empty: the candidate does
};
// "node charlie takes its place", or why nobody does.
std::string ConsequenceOf(const LostPrimary& lost, FailoverMode mode);

class FailoverWatch {
 public:
  FailoverWatch(std::string group, FailoverConfig rules)
      : group_(std::move(group)), rules_(std::move(rules)) {}

  // What is to be asked of Promotions now, each once. `draw` gives the ids. To be called often: time in which
  // it isn't, nobody was listening.
  std::vector<PromotionOrder> Look(const PromotionFacts& facts, const std::function<std::uint64_t()>& draw);

  // As of the last look.
  const std::vector<LostPrimary>& lost() const { return lost_; }
  // What is new of that, each change once.
  std::vector<log::Line> TakeNews();

 private:
  void Listen(Deadline now);
  std::string WhyLost(const VolumeFact& volume, const PromotionFacts& facts);
  void Choose(LostPrimary& lost, const PromotionFacts& facts) const;
  std::optional<PromotionOrder> Order(const LostPrimary& lost, const PromotionFacts& facts,
                                      const std::function<std::uint64_t()>& draw);

  const std::string group_;
  const FailoverConfig rules_;
  std::optional<Deadline> looked_;  // last
  Deadline listening_since_;
  std::map<NodeName, Deadline> ordered_;  // when one was to take the place of this one
  std::vector<LostPrimary> lost_;
  std::map<NodeName, std::string> said_;  // of each that is lost, what follows from it
};

}  // namespace hawser
