#include "relay/promotions.h"

#include <algorithm>

#include "relay/limits.h"

namespace hawser {

bool Promotions::Ask(const PromotionOrder& order, const PromotionFacts& facts) {
  std::erase_if(entries_, [&](const auto& entry) {
    return entry.second.attempt.settled() && facts.now - entry.second.asked > kPromotionIsKept;
  });
  auto found = entries_.find(order.id);
  if (found == entries_.end()) {
    if (entries_.size() >= kMostPromotions) return false;
    found = entries_.emplace(order.id, Entry{PromotionAttempt(order, facts), facts.now}).first;
  }
  found->second.asked = facts.now;
  return true;
}

std::vector<Handover> Promotions::Look(const PromotionFacts& facts) {
  std::vector<Handover> handovers;
  for (auto& [id, entry] : entries_) {
    if (entry.attempt.settled()) continue;
    if (auto handover = entry.attempt.Look(facts, TakenByOthers(id)))
      handovers.push_back(*std::move(handover));
  }
  return handovers;
}

PromotionAttempt::Taken Promotions::TakenByOthers(std::uint64_t id) const {
  PromotionAttempt::Taken taken;
  for (const auto& [other, entry] : entries_) {
    if (other == id || entry.attempt.settled()) continue;
    for (VolumeName& volume : entry.attempt.volumes()) taken.emplace(std::move(volume), entry.attempt.node());
  }
  return taken;
}

void Promotions::Failed(const HandoverFailure& failure) {
  if (const auto found = entries_.find(failure.attempt); found != entries_.end())
    found->second.attempt.Failed(failure);
}

std::vector<Hold> Promotions::TellHolds(const NodeName& node, Deadline now) {
  std::vector<Hold> holds;
  for (auto& [id, entry] : entries_) {
    for (Hold& hold : entry.attempt.TellHolds(node, now)) holds.push_back(std::move(hold));
  }
  return holds;
}

std::vector<log::Line> Promotions::TakeNews() {
  std::vector<log::Line> news;
  for (auto& [id, entry] : entries_) {
    for (log::Line& line : entry.attempt.TakeNews()) news.push_back(std::move(line));
  }
  return news;
}

bool Promotions::any_under_way() const {
  return std::ranges::any_of(entries_, [](const auto& entry) { return !entry.second.attempt.settled(); });
}

}  // namespace hawser
