// A node's outbox and its way to the relay: one batch at a time, over the simulated network. Mirrors what
// fuse_primary/shipper.cc does with sockets and threads; the outbox, which decides, is the real one.
#pragma once

#include <deque>
#include <functional>

#include "fuse_primary/outbox.h"
#include "tests/sim/requests.h"

namespace hawser::sim {

class Shipping {
 public:
  Shipping(World& world, NodeName node, std::uint64_t session, Requests& requests, LifePtr life);

  // Queues a record. `settled` is called once with the relay's answer.
  using Settled = std::function<void(const Answer&)>;
  void Queue(Record& record, const Buffer& payload, std::uint64_t call, Settled settled);

 private:
  struct UnderWay {
    std::uint64_t call = 0;
    Settled settled;
  };

  void SendSoon();
  void Send();
  std::vector<Buffer> PartsOf(const std::vector<Buffer>& parts, int attempt) const;
  void Take(const Incoming& reply);
  void HandOut(std::vector<Answer> answers);

  World& world_;
  Requests& requests_;
  const LifePtr life_;
  Outbox outbox_;
  std::deque<UnderWay> under_way_;  // the outbox's records, in its order
  bool sending_soon_ = false;
};

}  // namespace hawser::sim
