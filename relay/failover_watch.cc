#include "relay/failover_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/net/heartbeat.h"

namespace hawser {

namespace {

// For the candidate to apply what it still lacks: it has been decided by then, and can't be taken back.
constexpr std::chrono::milliseconds kToTakeOver = std::chrono::minutes(10);

}  // namespace

std::string ConsequenceOf(const LostPrimary& lost, FailoverMode mode) {
  if (!lost.candidate) return "nobody takes its place: " + lost.problem;
  if (mode == FailoverMode::kObserve)
    return fmt::format("node {} would take its place, were 'failover: mode' automatic",
                       lost.candidate->value);
  return fmt::format("node {} takes its place", lost.candidate->value);
}

std::vector<PromotionOrder> FailoverWatch::Look(const PromotionFacts& facts,
                                                const std::function<std::uint64_t()>& draw) {
  Listen(facts.now);
  lost_.clear();
  if (rules_.mode == FailoverMode::kManual) return {};
  std::map<NodeName, LostPrimary> lost;
  for (const VolumeFact& volume : facts.journal.volumes) {
    const std::string why = WhyLost(volume, facts);
    if (why.empty()) continue;
    LostPrimary& primary = lost[volume.primary];
    primary.primary = volume.primary;
    primary.why = why;
    primary.volumes.push_back(volume.volume);
  }
  std::vector<PromotionOrder> orders;
  for (auto& [name, primary] : lost) {
    Choose(primary, facts);
    if (auto order = Order(primary, facts, draw)) orders.push_back(*std::move(order));
    lost_.push_back(std::move(primary));
  }
  return orders;
}

std::vector<log::Line> FailoverWatch::TakeNews() {
  std::vector<log::Line> news;
  std::map<NodeName, std::string> now;
  for (const LostPrimary& lost : lost_) {
    const std::string consequence = ConsequenceOf(lost, rules_.mode);
    now[lost.primary] = consequence;
    if (said_[lost.primary] != consequence)
      news.push_back(
          {true, fmt::format("primary {} is lost, {}: {}", lost.primary.value, lost.why, consequence)});
  }
  said_ = std::move(now);
  return news;
}

// After a gap in the looks nobody's silence counts from before it.
void FailoverWatch::Listen(Deadline now) {
  if (!looked_ || now - *looked_ > kSilentAfter) listening_since_ = now;
  looked_ = now;
}

std::string FailoverWatch::WhyLost(const VolumeFact& volume, const PromotionFacts& facts) {
  const NodeStatus* node = facts.Node(volume.primary);
  const Deadline heard = node != nullptr && node->heard ? *node->heard : listening_since_;
  const auto silent = facts.now - std::max(heard, listening_since_);
  if (silent > rules_.detect)
    return fmt::format("not heard of for {:.1f} s", std::chrono::duration<double>(silent).count());
  const ReplicaStatus* replica = facts.Replica(volume.primary, volume.volume);
  const bool speaks_for_itself = replica != nullptr && facts.IsConnected(volume.primary) &&
                                 replica->role == ReplicaRole::kPrimary &&
                                 replica->generation == volume.generation;
  if (speaks_for_itself && replica->state == ReplicaState::kDiverged)
    return fmt::format("it takes no changes of {} any more: {}", volume.volume.value, replica->problem);
  return "";
}

void FailoverWatch::Choose(LostPrimary& lost, const PromotionFacts& facts) const {
  if (!facts.trouble.empty()) {
    lost.problem = facts.trouble;
    return;
  }
  std::string reasons;
  for (const NodeName& candidate : rules_.candidates) {
    if (candidate == lost.primary) continue;
    std::vector<VolumeName> held;
    std::string why;
    for (const VolumeName& volume : lost.volumes) {
      if (facts.Replica(candidate, volume) == nullptr) continue;
      held.push_back(volume);
      if (why.empty()) why = facts.WhyNot(candidate, volume);
    }
    if (held.empty()) why = fmt::format("node {} holds none of its volumes", candidate.value);
    if (why.empty()) {
      lost.candidate = candidate;
      lost.volumes = std::move(held);
      return;
    }
    reasons += (reasons.empty() ? "" : "; ") + why;
  }
  lost.problem = reasons.empty() ? "no candidate is left" : reasons;
}

std::optional<PromotionOrder> FailoverWatch::Order(const LostPrimary& lost, const PromotionFacts& facts,
                                                   const std::function<std::uint64_t()>& draw) {
  if (!lost.candidate || rules_.mode != FailoverMode::kAutomatic) return std::nullopt;
  const auto before = ordered_.find(lost.primary);
  if (before != ordered_.end() && facts.now - before->second <= rules_.detect) return std::nullopt;
  ordered_[lost.primary] = facts.now;
  return PromotionOrder{group_, draw(), *lost.candidate, lost.volumes,
                        static_cast<std::uint64_t>(kToTakeOver.count())};
}

}  // namespace hawser
