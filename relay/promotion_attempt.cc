#include "relay/promotion_attempt.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/net/heartbeat.h"
#include "relay/limits.h"

namespace hawser {

namespace {

constexpr auto kLittle = std::chrono::seconds(1);  // a copy that lags no more is near

double Seconds(std::chrono::milliseconds time) { return std::chrono::duration<double>(time).count(); }

std::string Records(std::uint64_t count) { return fmt::format("{} record{}", count, count == 1 ? "" : "s"); }

// "docs", "docs and mail", "docs, mail and news"
std::string List(const std::set<std::string>& names) {
  std::string text;
  std::size_t left = names.size();
  for (const std::string& name : names) {
    text += name;
    --left;
    if (left > 0) text += left == 1 ? " and " : ", ";
  }
  return text;
}

std::string Volumes(const std::set<std::string>& names) {
  return (names.size() == 1 ? "volume " : "volumes ") + List(names);
}

bool IsNear(const ReplicaStatus* replica) {
  return replica != nullptr &&
         (replica->state == ReplicaState::kLive || (replica->lag && replica->lag->time <= kLittle));
}

}  // namespace

PromotionAttempt::PromotionAttempt(const PromotionOrder& order, const PromotionFacts& facts)
    : order_(order),
      begun_(facts.now),
      timeout_(
          std::min<std::uint64_t>(order.timeout_ms, std::chrono::milliseconds(kLongestPromotion).count())) {
  for (const auto& [name, made] : facts.made) {
    const VolumeFact* volume = facts.Volume(name);
    if (volume == nullptr || order_.id == 0 || made.attempt != order_.id || made.node != order_.node)
      continue;
    Resume(*volume, made);
    moving_.back().told.from = made.previous.value;
    moving_.back().told.planned = made.planned;
  }
}

// Taking over: the journal names the node already.
void PromotionAttempt::Resume(const VolumeFact& volume, const Promote& made) {
  Moving moving;
  moving.told.volume = volume.volume;
  moving.told.from = made.node.value;
  moving.told.generation = volume.generation;
  moving.told.acknowledged = made.acknowledged;
  moving_.push_back(std::move(moving));
  phase_ = Phase::kTakingOver;
}

std::optional<Handover> PromotionAttempt::Look(const PromotionFacts& facts, const Taken& taken) {
  std::optional<Handover> handover;
  if (phase_ == Phase::kGathering) Gather(facts, taken);
  Follow(facts);
  if (phase_ == Phase::kApproaching) Approach(facts);
  if (phase_ == Phase::kHolding) handover = HoldUp(facts);
  if (phase_ == Phase::kJournaling && !handover) AwaitJournal(facts);
  if (phase_ == Phase::kTakingOver) TakeOver(facts);
  return handover;
}

// ---- gathering

void PromotionAttempt::Gather(const PromotionFacts& facts, const Taken& taken) {
  if (order_.id == 0) return Settle("an attempt at a promotion has an id other than 0");
  if (timeout_.count() == 0)
    return Settle("there is no time left to promote node " + order_.node.value + ": give it more");
  if (!facts.trouble.empty())
    return Settle(fmt::format("node {} can't be promoted: {}", order_.node.value, facts.trouble));
  for (const VolumeName& name : order_.volumes) {
    if (facts.Volume(name) == nullptr)
      return Settle(fmt::format(
          "volume '{}' is not in the relay's config: use the same config file on every machine", name.value));
  }
  if (const std::string who = WhoIsDoubtful(facts);
      !who.empty() && (facts.early || facts.now - begun_ < kSilentAfter)) {
    progress_ = fmt::format("waiting for a word of {}", who);
    if (facts.now - begun_ >= timeout_)
      Settle(fmt::format("node {} was not promoted within {} s, which were too short to hear of {}",
                         order_.node.value, Seconds(timeout_), who));
    return;
  }
  const std::vector<VolumeFact> wanted = Wanted(facts);
  std::vector<VolumeFact> chosen = Choose(wanted, facts);
  if (chosen.empty()) {
    for (const VolumeFact& volume : wanted) Resume(volume, facts.made.at(volume.volume));
    if (wanted.empty())
      Settle(fmt::format("node {} holds no volume in the relay's config: promote a node that does",
                         order_.node.value));
    note_ = fmt::format("node {} was primary already", order_.node.value);
    return;
  }
  if (std::string why = WhyNot(chosen, facts, taken); !why.empty()) return Settle(std::move(why));
  for (const VolumeFact& volume : chosen) {
    Moving moving;
    moving.told.volume = volume.volume;
    moving.told.from = volume.primary.value;
    moving.from = volume.generation;
    moving_.push_back(std::move(moving));
  }
  std::set<std::string> volumes;
  for (const Moving& moving : moving_) volumes.insert(moving.told.volume.value);
  news_.push_back(
      {false, fmt::format("node {} is to become primary of {}", order_.node.value, Volumes(volumes))});
  phase_ = Phase::kApproaching;
}

// Of whom it isn't known at the moment whether they answer, or as what.
std::string PromotionAttempt::WhoIsDoubtful(const PromotionFacts& facts) const {
  std::set<std::string> who;
  for (const VolumeFact& volume : Wanted(facts)) {
    if (volume.primary == order_.node) continue;
    if (facts.IsDoubtful(volume.primary) || facts.IsPrimaryComingUp(volume)) who.insert(volume.primary.value);
    if (facts.IsDoubtful(order_.node) || facts.IsGivingUp(order_.node, volume.volume))
      who.insert(order_.node.value);
  }
  return who.empty() ? "" : (who.size() == 1 ? "node " : "nodes ") + List(who);
}

// The volumes that are named, else all that the node holds.
std::vector<VolumeFact> PromotionAttempt::Wanted(const PromotionFacts& facts) const {
  std::vector<VolumeFact> wanted;
  for (const VolumeFact& volume : facts.journal.volumes) {
    const bool named = std::ranges::find(order_.volumes, volume.volume) != order_.volumes.end();
    const bool held = facts.Replica(order_.node, volume.volume) != nullptr;
    if (order_.volumes.empty() ? held : named) wanted.push_back(volume);
  }
  return wanted;
}

// Those of the wanted ones that the node is to get. If none are named, and some of their primaries don't
// answer, the others stay with primaries that work.
std::vector<VolumeFact> PromotionAttempt::Choose(std::vector<VolumeFact> wanted,
                                                 const PromotionFacts& facts) {
  std::set<std::string> left_out;
  std::vector<VolumeFact> chosen;
  for (VolumeFact& volume : wanted) {
    if (volume.primary != order_.node) {
      chosen.push_back(std::move(volume));
    } else {
      left_out.insert(volume.volume.value);
    }
  }
  if (!order_.volumes.empty()) {
    if (!left_out.empty())
      note_ = fmt::format("node {} was primary of {} already", order_.node.value, Volumes(left_out));
    return chosen;
  }
  const auto answers = [&](const VolumeFact& volume) { return facts.PrimaryAnswers(volume); };
  if (std::ranges::all_of(chosen, answers) || std::ranges::none_of(chosen, answers)) return chosen;
  left_out.clear();
  for (const VolumeFact& volume : chosen) {
    if (answers(volume)) left_out.insert(volume.volume.value);
  }
  note_ = fmt::format("{} stayed with {}, which answers; name {} to move {} too", Volumes(left_out),
                      left_out.size() == 1 ? "its primary" : "their primaries",
                      left_out.size() == 1 ? "it" : "them", left_out.size() == 1 ? "it" : "them");
  std::erase_if(chosen, answers);
  return chosen;
}

std::string PromotionAttempt::WhyNot(const std::vector<VolumeFact>& chosen, const PromotionFacts& facts,
                                     const Taken& taken) const {
  for (const VolumeFact& volume : chosen) {
    if (const auto other = taken.find(volume.volume); other != taken.end())
      return fmt::format(
          "volume {} is being moved to node {} already: wait until that is over, then see 'hawser status'",
          volume.volume.value, other->second.value);
  }
  for (const VolumeFact& volume : chosen) {
    if (std::string why = facts.WhyNot(order_.node, volume.volume); !why.empty()) return why;
  }
  return "";
}

// ---- up to the journal

// What the reports say of the volumes.
void PromotionAttempt::Follow(const PromotionFacts& facts) {
  for (Moving& moving : moving_) {
    const VolumeName& name = moving.told.volume;
    if (const ReplicaStatus* copy = facts.Replica(order_.node, name); copy != nullptr && copy->applied)
      moving.told.applied = copy->applied->position.sequence;
    if (phase_ != Phase::kApproaching && phase_ != Phase::kHolding) continue;
    const VolumeFact* volume = facts.Volume(name);
    moving.told.planned = volume != nullptr && facts.PrimaryAnswers(*volume);
    if (!moving.told.planned) {
      moving.all.reset();
      continue;
    }
    // A report from before it was told to may be left of an earlier run of the relay.
    const bool held = facts.Replica(volume->primary, name)->held_for == order_.id && moving.asked_to_hold &&
                      *facts.Node(volume->primary)->heard > *moving.asked_to_hold;
    if (!held) {
      moving.all.reset();
    } else if (!moving.all) {
      moving.all = facts.journal.head.position.sequence;
    }
  }
}

// Why it can't go on, though it hasn't been journaled; empty: it can.
std::string PromotionAttempt::WhyToStop(const PromotionFacts& facts) const {
  if (!facts.trouble.empty()) return facts.trouble;
  for (const Moving& moving : moving_) {
    const VolumeFact* volume = facts.Volume(moving.told.volume);
    if (volume == nullptr || volume->generation != moving.from)
      return fmt::format("volume {} has got another primary meanwhile: see 'hawser status'",
                         moving.told.volume.value);
    if (std::string why = facts.WhyNot(order_.node, moving.told.volume); !why.empty()) return why;
  }
  return "";
}

void PromotionAttempt::Approach(const PromotionFacts& facts) {
  if (const std::string why = WhyToStop(facts); !why.empty()) return TakeBack(why);
  const auto need_not_wait = [&](const Moving& moving) {
    return !moving.told.planned || IsNear(facts.Replica(order_.node, moving.told.volume));
  };
  if (std::ranges::all_of(moving_, need_not_wait) || facts.now - begun_ >= timeout_ / 2) {
    phase_ = Phase::kHolding;
    return;
  }
  std::uint64_t lacks = 0;
  for (const Moving& moving : moving_)
    lacks =
        std::max(lacks, facts.Lacks(order_.node, moving.told.volume, facts.journal.head.position.sequence));
  progress_ =
      fmt::format("node {} catches up while writers go on: {} to apply", order_.node.value, Records(lacks));
}

std::optional<Handover> PromotionAttempt::HoldUp(const PromotionFacts& facts) {
  if (const std::string why = WhyToStop(facts); !why.empty()) {
    TakeBack(why);
    return std::nullopt;
  }
  if (const std::string what = WhatIsWaitedFor(facts); !what.empty()) {
    progress_ = what;
    if (facts.now - begun_ >= timeout_)
      TakeBack(
          fmt::format("after {} s {}; give it more time, or stop a primary that hangs: one that is gone "
                      "isn't waited for",
                      Seconds(timeout_), what));
    return std::nullopt;
  }
  phase_ = Phase::kJournaling;
  progress_ = "the relay writes it into its journal";
  Handover handover{order_.id, order_.node, {}};
  for (const Moving& moving : moving_)
    handover.volumes.push_back({moving.told.volume, moving.from, moving.told.planned});
  return handover;
}

// Empty: nothing.
std::string PromotionAttempt::WhatIsWaitedFor(const PromotionFacts& facts) const {
  std::set<std::string> busy;
  std::uint64_t lacks = 0;
  for (const Moving& moving : moving_) {
    if (!moving.told.planned) continue;
    if (!moving.all) {
      busy.insert(moving.told.from);
    } else {
      lacks = std::max(lacks, facts.Lacks(order_.node, moving.told.volume, *moving.all));
    }
  }
  if (!busy.empty())
    return fmt::format("{} {} still to finish changes that are under way",
                       (busy.size() == 1 ? "node " : "nodes ") + List(busy),
                       busy.size() == 1 ? "has" : "have");
  if (lacks > 0) return fmt::format("node {} still has {} to apply", order_.node.value, Records(lacks));
  return "";
}

void PromotionAttempt::AwaitJournal(const PromotionFacts& facts) {
  for (const Moving& moving : moving_) {
    const auto made = facts.made.find(moving.told.volume);
    if (made == facts.made.end() || made->second.attempt != order_.id) return;
  }
  for (Moving& moving : moving_) moving.told.generation = Next(moving.from);
  phase_ = Phase::kTakingOver;
}

void PromotionAttempt::Failed(const HandoverFailure& failure) {
  if (phase_ != Phase::kJournaling) return;
  if (!failure.in_doubt) return TakeBack(failure.problem);
  Settle(fmt::format(
      "it isn't known whether node {} was promoted: {}; then 'hawser status' shows who is primary",
      order_.node.value, failure.problem));
}

// ---- afterwards

void PromotionAttempt::TakeOver(const PromotionFacts& facts) {
  bool all_serve = true;
  std::string why;
  bool stuck = false;
  for (Moving& moving : moving_) {
    const VolumeFact* volume = facts.Volume(moving.told.volume);
    const ReplicaStatus* copy = facts.Replica(order_.node, moving.told.volume);
    if (volume == nullptr || volume->generation != moving.told.generation)
      return Settle(
          fmt::format("node {} was made primary of volume {}, and another one after it: see "
                      "'hawser status'",
                      order_.node.value, moving.told.volume.value));
    moving.told.acknowledged = volume->since;
    moving.told.serves = facts.Serves(order_.node, *volume);
    if (moving.told.serves) continue;
    all_serve = false;
    if (why.empty()) why = WhyItDoesNotServe(facts, moving);
    stuck = stuck || (copy != nullptr && NeedsHelp(copy->state));
  }
  if (all_serve) return Settle("");
  progress_ = fmt::format("node {} is primary now: {}", order_.node.value, why);
  if (stuck || facts.now - begun_ >= timeout_)
    Settle(
        fmt::format("node {} is primary now, and does not take changes yet: {}; 'hawser status' shows how "
                    "it goes on",
                    order_.node.value, why));
}

std::string PromotionAttempt::WhyItDoesNotServe(const PromotionFacts& facts, const Moving& moving) const {
  const VolumeName& volume = moving.told.volume;
  const ReplicaStatus* copy = facts.Replica(order_.node, volume);
  const bool is_primary = copy != nullptr && copy->role == ReplicaRole::kPrimary &&
                          copy->state == ReplicaState::kLive && facts.IsConnected(order_.node);
  if (const std::string why = facts.WhyNot(order_.node, volume); !why.empty() && !is_primary) return why;
  if (const std::uint64_t lacks = facts.Lacks(order_.node, volume, moving.told.acknowledged); lacks > 0)
    return fmt::format("it still has {} of volume {} to apply", Records(lacks), volume.value);
  return fmt::format("it makes volume {} ready for changes", volume.value);
}

// ---- its end

void PromotionAttempt::TakeBack(const std::string& why) {
  std::set<std::string> primaries;
  for (const Moving& moving : moving_) primaries.insert(moving.told.from);
  Settle(fmt::format("node {} was not promoted, {} primary: {}", order_.node.value,
                     List(primaries) + (primaries.size() == 1 ? " stays" : " stay"), why));
}

void PromotionAttempt::Settle(std::string problem) {
  problem_ = std::move(problem);
  news_.push_back({!problem_.empty(), problem_.empty()
                                          ? fmt::format("node {} takes changes as primary", order_.node.value)
                                          : problem_});
  phase_ = Phase::kSettled;
}

// ---- what others are told

std::vector<Hold> PromotionAttempt::TellHolds(const NodeName& node, Deadline now) {
  std::vector<Hold> holds;
  if (phase_ != Phase::kHolding && phase_ != Phase::kJournaling) return holds;
  for (Moving& moving : moving_) {
    if (moving.told.from != node.value) continue;
    if (!moving.asked_to_hold) moving.asked_to_hold = now;
    holds.push_back({moving.told.volume, order_.id});
  }
  return holds;
}

std::vector<VolumeName> PromotionAttempt::volumes() const {
  std::vector<VolumeName> names;
  for (const Moving& moving : moving_) names.push_back(moving.told.volume);
  return names;
}

Promotion PromotionAttempt::told() const {
  Promotion told;
  told.settled = settled();
  told.problem = problem_;
  told.progress = settled() ? note_ : progress_;
  for (const Moving& moving : moving_) told.volumes.push_back(moving.told);
  return told;
}

}  // namespace hawser
