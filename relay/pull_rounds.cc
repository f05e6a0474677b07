#include "relay/pull_rounds.h"

#include "relay/limits.h"

namespace hawser {

bool PullRounds::Add(PullJob pull) {
  auto& pulls = waiting_[pull.pull.from.node];
  if (pulls.size() >= kPullsANode) return false;
  pulls.push_back(std::move(pull));
  return true;
}

std::optional<PullJob> PullRounds::Next() {
  if (waiting_.empty()) return std::nullopt;
  auto turn = waiting_.upper_bound(served_);
  if (turn == waiting_.end()) turn = waiting_.begin();
  served_ = turn->first;
  PullJob pull = std::move(turn->second.front());
  turn->second.pop_front();
  if (turn->second.empty()) waiting_.erase(turn);
  return pull;
}

}  // namespace hawser
