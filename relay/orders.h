// The orders of people to nodes, on their way: the relay tells each node which ones there are for it, in the
// answers to its reports, and keeps what the node says became of them. Pure: time is given from outside. One
// thread (control.h).
//
// An order is there as long as somebody asks how it stands, and is forgotten a while after. So nobody has to
// take back what he no longer waits for, and a node that comes back after days is told nothing of the past.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/net/messages.h"

namespace hawser {

class OrderBook {
 public:
  // How it stands; the first time it is taken up. nullopt: there are too many.
  std::optional<OrderState> Ask(const Order& order, Deadline now);

  // All that are under way for the node.
  std::vector<NodeOrder> Of(const NodeName& node, Deadline now);

  // What the node says.
  void Heard(const NodeName& node, const std::vector<OrderResult>& results);

 private:
  struct Entry {
    Order order;
    Deadline asked;
    OrderState state;
  };
  void Forget(Deadline now);

  std::map<std::uint64_t, Entry> entries_;  // by id
};

}  // namespace hawser
