#include "relay/orders.h"

#include "relay/limits.h"

namespace hawser {

std::optional<OrderState> OrderBook::Ask(const Order& order, Deadline now) {
  Forget(now);
  if (!entries_.contains(order.id) && entries_.size() >= kMostOrders) return std::nullopt;
  Entry& entry = entries_.try_emplace(order.id, Entry{order, now, {}}).first->second;
  entry.asked = now;
  return entry.state;
}

std::vector<NodeOrder> OrderBook::Of(const NodeName& node, Deadline now) {
  Forget(now);
  std::vector<NodeOrder> orders;
  for (const auto& [id, entry] : entries_) {
    if (entry.order.node == node) orders.push_back({id, entry.order.kind});
  }
  return orders;
}

void OrderBook::Heard(const NodeName& node, const std::vector<OrderResult>& results) {
  for (const OrderResult& result : results) {
    const auto found = entries_.find(result.id);
    if (found == entries_.end() || found->second.order.node != node) continue;
    found->second.state = {true, result};
  }
}

void OrderBook::Forget(Deadline now) {
  std::erase_if(entries_, [&](const auto& entry) { return now - entry.second.asked > kOrderIsKept; });
}

}  // namespace hawser
