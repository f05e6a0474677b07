// A node's outbox and its way to the relay, over the simulated network. Mirrors what fuse_primary/shipper.cc
// and common/net/requester.cc do with sockets and threads; the outbox, which decides, is the real one.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "fuse_primary/known_head.h"
#include "fuse_primary/outbox.h"
#include "tests/sim/checker.h"
#include "tests/sim/requests.h"

namespace hawser::sim {

// Whether it leaves open what became of the record: the outbox hands out no such answer, but a fault does.
bool IsDoubt(const Answer& answer);

class Shipping {
 public:
  Shipping(World& world, Checker& checker, NodeName node, std::uint64_t session, KnownHead& known,
           Requests& requests, LifePtr life);

  // Queues a record. `settled` is called once with the relay's answer.
  using Settled = std::function<void(const Answer&)>;
  void Queue(Record& record, const Buffer& payload, std::uint64_t call, Settled settled);

 private:
  struct UnderWay {
    std::uint64_t call = 0;
    Settled settled;
  };
  // A batch that is under way. Its answer waits for those of the batches before it.
  struct Asked {
    std::optional<Incoming> reply;
    bool sent_again = false;
    bool given_up = false;
  };

  void SendSoon();
  void Send();
  void TakeInOrder();
  std::vector<Buffer> PartsOf(const std::vector<Buffer>& parts, int attempt) const;
  std::vector<Buffer> WithNumbersReused(std::vector<Buffer> parts) const;
  std::optional<std::size_t> DropOneInDoubt(std::vector<Answer>& answers);
  void HandOut(std::vector<Answer> answers, bool sent_again);
  void GiveUp();

  World& world_;
  Checker& checker_;
  KnownHead& known_;
  Requests& requests_;
  const LifePtr life_;
  Outbox outbox_;
  std::deque<UnderWay> under_way_;  // the outbox's records, in its order
  std::deque<std::shared_ptr<Asked>> asked_;
  bool sending_soon_ = false;
  std::uint64_t reused_ = 0;  // numbers, for a fault
};

}  // namespace hawser::sim
