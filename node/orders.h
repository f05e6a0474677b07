// The orders that people have given this node: the relay lists them in each overview for as long as somebody
// asks how they stand (relay/orders.h). Each is carried out once, and what became of it is said in every
// report while it is listed. Pure; not thread safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/net/messages.h"

namespace hawser {

class Orders {
 public:
  // Begins what an order asks for. Returns why it can't be done; empty: it is begun.
  using Begin = std::function<std::string(OrderKind)>;

  // What an overview lists.
  void Take(const std::vector<NodeOrder>& listed, const Begin& begin);

  // All that are settled by now: a pause once replay stands, which is at `applied` then.
  std::vector<OrderResult> Settled(bool stands, const Progress& applied);

 private:
  struct Taken {
    OrderKind kind;
    std::optional<OrderResult> result;
  };
  void GiveUpPauses();

  std::map<std::uint64_t, Taken> taken_;  // by id
};

}  // namespace hawser
