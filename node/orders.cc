#include "node/orders.h"

#include <algorithm>

namespace hawser {

void Orders::Take(const std::vector<NodeOrder>& listed, const Begin& begin) {
  std::erase_if(taken_, [&](const auto& taken) {
    return std::none_of(listed.begin(), listed.end(),
                        [&](const NodeOrder& order) { return order.id == taken.first; });
  });
  for (const NodeOrder& order : listed) {
    if (taken_.contains(order.id)) continue;
    const std::string problem = begin(order.kind);
    if (problem.empty() && order.kind == OrderKind::kResume) GiveUpPauses();
    Taken& taken = taken_.emplace(order.id, Taken{order.kind, {}}).first->second;
    if (!problem.empty()) taken.result = OrderResult{order.id, problem, {}};
  }
}

void Orders::GiveUpPauses() {
  for (auto& [id, taken] : taken_) {
    if (taken.kind == OrderKind::kPause && !taken.result)
      taken.result = OrderResult{id, "it was resumed before it stood", {}};
  }
}

std::vector<OrderResult> Orders::Settled(bool stands, const Progress& applied) {
  std::vector<OrderResult> settled;
  for (auto& [id, taken] : taken_) {
    if (!taken.result && (taken.kind == OrderKind::kResume || stands))
      taken.result = OrderResult{id, {}, applied};
    if (taken.result) settled.push_back(*taken.result);
  }
  return settled;
}

}  // namespace hawser
