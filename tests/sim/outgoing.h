// A node's way to the relay's write port: its records leave in the order in which they came, all that waits
// as one batch, and one batch is on its way at a time.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "common/net/messages.h"
#include "common/record/record.h"
#include "tests/sim/requests.h"

namespace hawser::sim {

class Outgoing {
 public:
  Outgoing(World& world, Requests& requests, NodeName node, LifePtr life)
      : world_(world), requests_(requests), node_(std::move(node)), life_(std::move(life)) {}

  // Of the session that has said hello. Before the first Send().
  void set_session(std::uint64_t session) { session_ = session; }

  // `record` gets its origin. `answered` is called once, with what the relay made of it.
  using Answered = std::function<void(const Answer&)>;
  void Send(Record record, Buffer payload, std::uint64_t call, Answered answered);

 private:
  struct Item {
    Record record;
    Buffer payload;
    std::uint64_t call = 0;
    Answered answered;
  };

  void SendBatch();
  void SendRequest();
  std::vector<Buffer> PartsOf(int attempt);
  void Finish(const Incoming& reply);
  void Settle(const std::vector<Answer>& answers);

  World& world_;
  Requests& requests_;
  const NodeName node_;
  const LifePtr life_;
  std::uint64_t session_ = 0;
  std::uint64_t last_ = 0;  // number given
  std::deque<Item> waiting_;
  std::vector<Item> batch_;  // on its way; empty: none is
};

}  // namespace hawser::sim
