// A submitted batch as it came over the write port, read and checked as far as that needs no state.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "common/journal/frame.h"
#include "common/net/messages.h"
#include "common/net/requester.h"
#include "common/record/record.h"

namespace hawser {

struct Submission {
  std::vector<Record> records;
  std::vector<Entry> entries;  // their bytes: they are those of `message`
  Batch batch;
  std::uint64_t bytes = 0;  // of the entries
  std::shared_ptr<const Incoming> message;
};

// `message` is a kSubmit. A refusal concerns all of it: a part that can't be read, records that aren't one
// session's with consecutive numbers, cuts that aren't before a record each, or more than a batch may hold
// (common/net/limits.h).
std::variant<Submission, Refusal> ReadSubmission(Incoming message);

}  // namespace hawser
