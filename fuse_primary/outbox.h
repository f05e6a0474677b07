// The outbox: a node's one ordered, bounded queue of decided records, of all its volumes, on their way to the
// relay (DESIGN section 2a). Pure: no locks, clocks, sockets; the shipper (shipper.h) executes what is
// decided here, the simulation drives it.
//
// A record gets its number as it enters, and no number is ever given twice: once it may have been sent, its
// fate is the relay's to tell. What waits goes out in batches, in order, one batch at a time; the same batch
// again until it is answered. Answers settle records from the front of the queue, so that the numbers on
// their way are always consecutive.
//
// Doubt: a relay whose journal has failed can't tell whether it has a record, until it is restarted; nor can
// one that doesn't know the session, or that refuses unread what another may have taken before. Then that
// record and all behind it stay in the queue, and go out again, under the same numbers, after Retry().
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "common/base/clock.h"
#include "common/base/payload.h"
#include "common/net/limits.h"
#include "common/net/messages.h"
#include "common/record/record.h"

namespace hawser {

struct OutboxLimits {
  // What may wait, headers and payloads. One more record may go over it, so that each fits.
  std::uint64_t bytes = 64 * kMiB;
  // A batch. One record always fits.
  std::size_t batch_records = kMaxBatchRecords;
  std::uint64_t batch_bytes = kMaxBatchBytes;
};

class Outbox {
 public:
  // `session`: the mount session whose numbers these are: 1, 2, 3, ...
  Outbox(NodeName node, std::uint64_t session, OutboxLimits limits = {})
      : node_(std::move(node)), session_(session), limits_(limits) {}

  // ---- entering

  // Whether a new record has to wait for room.
  bool full() const { return bytes_ >= limits_.bytes; }
  // Gives the record its origin and queues it. `cut`: it depends on one before it, other than by being about
  // the same file, and belongs into a later write group.
  void Add(Record& record, Payload payload, bool cut, Deadline now);

  // ---- sending

  // Whether there is something to send that hasn't been sent.
  bool ready() const { return in_flight_ == 0 && !in_doubt_ && !queue_.empty(); }
  // Begins the next batch; only when ready(). Gives the parts of its message: [Batch][header][payload]...
  std::vector<Payload> NextBatch();
  // Records in the batch under way: the first ones of the queue. 0: none is.
  std::size_t in_flight() const { return in_flight_; }

  // ---- answers

  // Takes the answers to the batch under way, one a record, in order, and returns how many records from the
  // front of the queue they settle. Those are gone from it. EPROTO if they aren't as many as the batch's
  // records: then all of it is in doubt.
  Result<std::size_t> Take(std::span<const Answer> answers);
  // There is no telling what the relay answered, or whether: the batch under way is in doubt.
  void Doubt();
  bool in_doubt() const { return in_doubt_; }
  // It is time to ask again.
  void Retry() { in_doubt_ = false; }

  // ---- what waits, with what is under way

  std::size_t records() const { return queue_.size(); }
  std::uint64_t bytes() const { return bytes_; }
  std::optional<Deadline> oldest() const;  // when the first of it entered

 private:
  struct Waiting {
    Payload header;
    Payload payload;
    bool cut = false;
    Deadline entered;
    int sendings = 0;

    std::uint64_t bytes() const { return header.size() + payload.size(); }
  };

  void Settle(std::size_t count);

  const NodeName node_;
  const std::uint64_t session_;
  const OutboxLimits limits_;
  std::uint64_t last_number_ = 0;
  std::deque<Waiting> queue_;
  std::uint64_t bytes_ = 0;
  std::size_t in_flight_ = 0;
  bool in_doubt_ = false;
};

}  // namespace hawser
