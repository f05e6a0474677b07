// Takes records to the relay: executes what the outbox (outbox.h) decides, over one REQ socket.
//
// Whoever waits, drives. A caller that waits for its record takes the driver's place if it is free: it sends
// what is in the outbox, waits for the answer, sends the next batch, and hands the answers out; when its own
// record is settled or it leaves, the next one that waits takes over. So a writer alone pays for no change of
// thread. A thread of the shipper's drives when records are under way and nobody waits, and finishes the
// records of callers that have left.
//
// Thread safe. No lock is held over the network, nor while a shipment is finished.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/result.h"
#include "common/net/context.h"
#include "common/net/requester.h"
#include "fuse_primary/outbox.h"
#include "fuse_primary/patience.h"

namespace hawser {

// A record on its way, with all that belongs to it until it is finished. Derived classes add what it holds.
class Shipment {
 public:
  // `owner`: for Shipper::Forget.
  Shipment(const void* owner, Record what, Payload data, bool after_cut = false)
      : record(std::move(what)), payload(std::move(data)), cut(after_cut), owner_(owner) {}
  virtual ~Shipment() = default;
  Shipment(const Shipment&) = delete;
  Shipment& operator=(const Shipment&) = delete;

  // The relay has answered, and whoever waited for that has left. Called once, by the shipper's thread.
  virtual void FinishAlone(const Answer& answer) = 0;

  Record record;  // gets its origin when it is queued
  const Payload payload;
  const bool cut;  // see Outbox::Add

 private:
  friend class Shipper;
  const void* const owner_;
  // Under the shipper's mutex.
  CondVar changed_;
  std::optional<Answer> answer_;
  bool awaited_ = false;
};

class Shipper {
 public:
  // `session`: one that has said hello to the relay (hello.h). Nothing is connected before there is something
  // to send.
  Shipper(NetContext& context, std::string endpoint, NodeName node, std::uint64_t session,
          OutboxLimits limits = {});
  // All owners have been forgotten.
  ~Shipper();
  Shipper(const Shipper&) = delete;
  Shipper& operator=(const Shipper&) = delete;

  const NodeName& node() const { return node_; }

  // Queues a record; waits while the outbox is full. ECANCELED, ETIMEDOUT: it was not queued. Await() must
  // follow.
  Status Queue(const std::shared_ptr<Shipment>& shipment, const Patience& patience);

  // Waits for the answer to a record of the calling thread's. ECANCELED, ETIMEDOUT: its outcome is not known
  // yet, and the caller has left: the shipment isn't its any more, FinishAlone() will be called.
  Result<Answer> Await(Shipment& shipment, const Patience& patience);

  // Records in the outbox: not answered yet.
  std::size_t records() const;

  // Finishes no more shipments of `owner`'s; returns when none is being finished. Nobody may be awaiting one.
  // Records in doubt stay unsettled; their numbers are used no more.
  void Forget(const void* owner);

 private:
  bool HasWork() const HAWSER_REQUIRES(mutex_);
  void Drive(Deadline until, const std::atomic<bool>* cancel) HAWSER_REQUIRES(mutex_);
  void Send() HAWSER_REQUIRES(mutex_);
  void Take(const Incoming& reply) HAWSER_REQUIRES(mutex_);
  void Doubt(const std::string& why) HAWSER_REQUIRES(mutex_);
  void HandOut(std::span<const Answer> answers) HAWSER_REQUIRES(mutex_);
  std::vector<std::shared_ptr<Shipment>> Settle(std::span<const Answer> answers) HAWSER_REQUIRES(mutex_);
  void PassOn() HAWSER_REQUIRES(mutex_);
  bool AnybodyWaits() const HAWSER_REQUIRES(mutex_);

  void Run();
  void FinishOne() HAWSER_REQUIRES(mutex_);

  const std::string endpoint_;
  const NodeName node_;
  Requester requester_;  // the driver's
  std::atomic<bool> stopping_{false};

  mutable Mutex mutex_;
  Outbox outbox_ HAWSER_GUARDED_BY(mutex_);
  // The outbox's records, in its order. Null: forgotten, and settled for nobody.
  std::deque<std::shared_ptr<Shipment>> under_way_ HAWSER_GUARDED_BY(mutex_);
  bool driven_ HAWSER_GUARDED_BY(mutex_) = false;  // somebody is in the driver's place
  Deadline ask_again_ HAWSER_GUARDED_BY(mutex_);   // after a doubt
  bool complained_ HAWSER_GUARDED_BY(mutex_) = false;
  CondVar room_;
  std::deque<std::shared_ptr<Shipment>> left_ HAWSER_GUARDED_BY(mutex_);  // answered, to be finished alone
  const void* finishing_ HAWSER_GUARDED_BY(mutex_) = nullptr;             // the owner of the one in hand
  CondVar finished_;
  CondVar background_;
  std::thread thread_;
};

}  // namespace hawser
