// The outbox: a node's one ordered, bounded queue of decided records, of all its volumes, on their way to the
// relay (DESIGN section 2a). Pure: no locks, clocks, sockets; the shipper (shipper.h) executes what is
// decided here, the simulation drives it.
//
// A record gets its number as it enters, and no number is ever given twice: once it may have been sent, its
// fate is the relay's to tell. What waits goes out in batches, in order, a few of them under way at a time;
// the same again until it is answered. Answers come in the same order and settle records from the front of
// the queue, so that the numbers on their way are always consecutive.
//
// Doubt: a relay whose journal has failed can't tell whether it has a record, until it is restarted; nor can
// one that doesn't know the session, whose journal has gone back, that hasn't got what lies ahead, or that
// refuses unread what another may have taken before. Then that record and all behind it stay in the queue,
// and go out again, under the same numbers, after Retry().
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

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
  // Under way. With more batches less waits for an answer to be sent; with fewer, more goes out together.
  std::size_t batches = 4;
  std::size_t records = kMaxBatchRecords;
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
  void Add(Record& record, Payload payload, bool cut);

  // ---- sending

  // Whether there is something to send that isn't under way, and may be.
  bool ready() const;
  // Begins the next batch; only when ready(). `known` and `run`: as in Batch, heard before this. Gives the
  // parts of its message: [Batch][header][payload]...
  std::vector<Payload> NextBatch(const Position& known, std::uint64_t run);
  // Records under way: the first ones of the queue.
  std::size_t in_flight() const { return in_flight_; }
  // Records in the oldest batch under way, whose answer comes next. 0: none is.
  std::size_t oldest_batch() const { return batches_.empty() ? 0 : batches_.front(); }

  // ---- answers

  // Takes the answers to the oldest batch under way, one a record, in order, and returns how many records
  // from the front of the queue they settle. Those are gone from it. `sent_again`: the batch's message went
  // out more than once. If now in_doubt(), nothing is under way any more, later batches neither: their
  // answers must not be taken. EPROTO if there aren't as many as the batch's records: then all of it is in
  // doubt.
  Result<std::size_t> Take(std::span<const Answer> answers, bool sent_again = false);
  // There is no telling what the relay answered, or whether: all that is under way is in doubt.
  void Doubt();
  bool in_doubt() const { return in_doubt_; }
  // It is time to ask again.
  void Retry() { in_doubt_ = false; }

  // ---- what waits, with what is under way

  std::size_t records() const { return queue_.size(); }
  std::uint64_t bytes() const { return bytes_; }
  // Numbers that were answered: all before the queue's first.
  std::uint64_t answered() const { return answered_; }

 private:
  struct Waiting {
    Payload header;
    Payload payload;
    bool cut = false;
    int sendings = 0;

    std::uint64_t bytes() const { return header.size() + payload.size(); }
  };

  void Settle(std::size_t count);

  const NodeName node_;
  const std::uint64_t session_;
  const OutboxLimits limits_;
  std::uint64_t last_number_ = 0;
  std::uint64_t answered_ = 0;  // the number before the queue's first
  std::deque<Waiting> queue_;
  std::uint64_t bytes_ = 0;
  std::deque<std::size_t> batches_;  // records in each batch under way, the oldest first
  std::size_t in_flight_ = 0;        // their sum
  bool in_doubt_ = false;
};

}  // namespace hawser
