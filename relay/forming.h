// The write groups that are being formed, with their bytes and with those who wait for them: what the writer
// needs to carry out what the sequencer has decided. One thread; no socket, no disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/journal/frame.h"
#include "common/net/router.h"
#include "relay/queue.h"
#include "relay/sequencer.h"
#include "relay/submission.h"

namespace hawser {

// A durable group with what its entries point into. Null in the queue: the head has moved, but the frame is
// too large to publish.
struct DurableFrame {
  Frame frame;
  std::vector<std::shared_ptr<const void>> owners;
  std::uint64_t owned_bytes = 0;  // that the owners keep: whole batches
};
using FrameQueue = Queue<std::shared_ptr<const DurableFrame>>;

class Forming {
 public:
  // Who gets an answer, and to what: for each record of the batch its place, or what is known already.
  struct Waiting {
    Asker asker;
    std::vector<std::variant<Place, Answer>> records;
  };

  // Who is to be welcomed, and what to tell it of its session.
  struct Greeter {
    Asker asker;
    std::uint64_t session = 0;
    std::string replaces;
  };

  // Takes the records of a batch that were accepted. `rulings` has one for each. If the sender need not
  // wait, its answers are returned.
  std::optional<Answers> Add(const Asker& asker, const Submission& submission, std::vector<Ruling> rulings);
  // Takes a record of the relay itself.
  void AddOwn(const Record& record, const Place& place);
  void AddGreeter(Greeter greeter) { greeters_.push_back(std::move(greeter)); }
  // A message was taken up, whatever came of it.
  void Count() { ++messages_; }

  // Whether one more batch could be more than a formation may hold.
  bool IsFull() const;
  bool has_records() const { return !groups_.empty(); }
  std::size_t messages() const { return messages_; }
  const std::vector<Waiting>& waiting() const { return waiting_; }
  const std::vector<Greeter>& greeters() const { return greeters_; }

  // The groups as frames that follow `head`. Once; the groups are empty then.
  std::vector<std::shared_ptr<DurableFrame>> MakeFrames(Progress head, Timestamp time);

 private:
  struct FormingGroup {
    std::vector<Entry> entries;
    std::vector<std::shared_ptr<const void>> owners;
    std::uint64_t owned_bytes = 0;
  };

  FormingGroup& GroupAt(const Place& place);

  std::vector<FormingGroup> groups_;
  std::vector<Waiting> waiting_;
  std::vector<Greeter> greeters_;
  std::size_t records_ = 0;
  std::uint64_t bytes_ = 0;
  std::size_t messages_ = 0;
};

// What is sent to somebody who waited, once the answers are known by place.
Answers AnswersFor(const Forming::Waiting& waiting, const std::vector<std::vector<Ack>>& acks);
// The same if no record entered the journal: `refusal` for each that was to.
Answers AnswersFor(const Forming::Waiting& waiting, const Refusal& refusal);

}  // namespace hawser
