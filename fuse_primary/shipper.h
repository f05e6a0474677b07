// Takes records to the relay: executes what the outbox (outbox.h) decides, over one connection.
//
// Whoever queues, sends: at once, if a batch may go out, and with it whatever others have queued meanwhile. A
// caller that waits for its record drives, if nobody does: it takes the answers, sends what may go out then,
// and wakes the first of those whose records they settle; each wakes the next. So a writer alone pays for no
// change of thread. When its own record is settled, or it leaves, and more is under way, a thread of the
// shipper's drives until nothing is. Another one finishes the records of callers that have left.
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
#include "common/base/semaphore.h"
#include "common/net/context.h"
#include "common/net/requester.h"
#include "fuse_primary/known_head.h"
#include "fuse_primary/outbox.h"
#include "fuse_primary/patience.h"
#include "volume/store/file_ids.h"

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
  Answer Receive();

  const void* const owner_;
  // Under the shipper's mutex.
  bool awaited_ = false;
  std::optional<Answer> answer_;    // once set, its waiter's
  std::shared_ptr<Shipment> next_;  // settled with it, and woken by its waiter; goes with `answer_`
  // Not a condition: who waits needs no lock, and none is contended when many are woken at once.
  Semaphore settled_;
};

class Shipper {
 public:
  // `session`: one that the relay has given (node/hello.h). `known` outlives this, and is told what is
  // acknowledged. Nothing is connected before there is something to send.
  Shipper(NetContext& context, std::string endpoint, NodeName node, std::uint64_t session, KnownHead& known,
          OutboxLimits limits = {});
  // All owners have been forgotten.
  ~Shipper();
  Shipper(const Shipper&) = delete;
  Shipper& operator=(const Shipper&) = delete;

  const NodeName& node() const { return node_; }
  std::uint64_t session() const { return session_; }
  // Of all volumes together: one may have several funnels in a session, and no id is given twice.
  FileIds& file_ids() { return file_ids_; }

  // Queues a record; waits while the outbox is full. ECANCELED, ETIMEDOUT: `patience` was over before there
  // was room, or from the beginning; it was not queued. Await() must follow.
  Status Queue(const std::shared_ptr<Shipment>& shipment, const Patience& patience);

  // Waits for the answer to a record of the calling thread's. ECANCELED, ETIMEDOUT: its outcome is not known
  // yet, and the caller has left: the shipment isn't its any more, FinishAlone() will be called.
  Result<Answer> Await(Shipment& shipment, const Patience& patience);

  // Records in the outbox: not answered yet.
  std::size_t records() const;
  // How many were answered before those.
  std::uint64_t answered() const;
  // For how long nothing was answered although records wait for it; zero if none does.
  SteadyClock::duration silent_for() const;

  // Changes that were given up before they were queued, since the relay doesn't answer.
  void CountRefused() { ++refused_; }
  std::uint64_t refused() const { return refused_; }

  // Finishes no more shipments of `owner`'s; returns when none is being finished. Nobody may be awaiting one.
  // Records in doubt stay unsettled; their numbers are used no more.
  void Forget(const void* owner);

 private:
  bool HasWork() const HAWSER_REQUIRES(mutex_);
  void Drive(Deadline until, const std::atomic<bool>* cancel) HAWSER_REQUIRES(mutex_);
  void Send() HAWSER_REQUIRES(mutex_);
  void Take(const Requester::Reply& reply) HAWSER_REQUIRES(mutex_);
  void Doubt() HAWSER_REQUIRES(mutex_);
  void Doubt(const std::string& why) HAWSER_REQUIRES(mutex_);
  void Doubt(const Refusal& refusal) HAWSER_REQUIRES(mutex_);
  std::shared_ptr<Shipment> Settle(std::span<const Answer> answers) HAWSER_REQUIRES(mutex_);

  void DriveForOthers();
  void FinishThoseThatWereLeft();
  void FinishOne() HAWSER_REQUIRES(mutex_);

  const std::string endpoint_;
  const NodeName node_;
  const std::uint64_t session_;
  FileIds file_ids_;
  KnownHead& known_;
  Requester requester_;  // what is under way here is under way in the outbox, in the same order
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> refused_{0};

  mutable Mutex mutex_;
  Outbox outbox_ HAWSER_GUARDED_BY(mutex_);
  // The outbox's records, in its order. Null: forgotten, and settled for nobody.
  std::deque<std::shared_ptr<Shipment>> under_way_ HAWSER_GUARDED_BY(mutex_);
  CondVar room_;
  SteadyClock::time_point silent_since_ HAWSER_GUARDED_BY(mutex_);  // while there are any
  bool sending_ HAWSER_GUARDED_BY(mutex_) = false;  // somebody takes a batch from the outbox to the requester
  CondVar sent_;
  bool driven_ HAWSER_GUARDED_BY(mutex_) = false;  // somebody drives
  CondVar undriven_;
  Deadline ask_again_ HAWSER_GUARDED_BY(mutex_);  // after a doubt
  bool complained_ HAWSER_GUARDED_BY(mutex_) = false;
  int other_runs_ HAWSER_GUARDED_BY(mutex_) = 0;  // refusals in a row for that

  std::deque<std::shared_ptr<Shipment>> left_ HAWSER_GUARDED_BY(mutex_);  // answered, to be finished alone
  CondVar some_left_;
  const void* finishing_ HAWSER_GUARDED_BY(mutex_) = nullptr;  // the owner of the one in hand
  CondVar finished_;

  std::thread driver_;
  std::thread finisher_;
};

}  // namespace hawser
