#include "fuse_primary/outbox.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/record/codec.h"

namespace hawser {

namespace {

// Whether a refusal leaves open what became of the record. Those that say so of a whole request, or of a
// node, were given without looking for the record: they prove that it is nowhere only if it was never sent
// before, for the relay that refuses may be another one than the relay that took it (another config, an older
// journal).
bool LeavesOpen(RefusalCode code, bool sent_before) {
  switch (code) {
    case RefusalCode::kJournalFailed:
    case RefusalCode::kUnknownSession:
    case RefusalCode::kAhead:
    case RefusalCode::kWentBack:
    case RefusalCode::kOtherRun:
      return true;
    case RefusalCode::kBadMessage:
    case RefusalCode::kWrongVersion:
    case RefusalCode::kTooLarge:
    case RefusalCode::kUnknownNode:
      return sent_before;
    case RefusalCode::kUnknownVolume:
    case RefusalCode::kNotPrimary:
    case RefusalCode::kFenced:
    case RefusalCode::kOldSession:
    case RefusalCode::kOutOfTurn:
    case RefusalCode::kJournalFull:
    case RefusalCode::kOtherGroup:
    case RefusalCode::kNodeAlive:
      return false;
  }
  return false;
}

bool IsDoubt(const Answer& answer, bool sent_before) {
  const auto* refusal = std::get_if<Refusal>(&answer);
  return refusal != nullptr && LeavesOpen(refusal->code, sent_before);
}

}  // namespace

void Outbox::Add(Record& record, Payload payload, bool cut) {
  record.origin = {node_, session_, ++last_number_};
  queue_.push_back({Payload::Of(EncodeRecord(record)), std::move(payload), cut});
  bytes_ += queue_.back().bytes();
}

bool Outbox::ready() const {
  return !in_doubt_ && in_flight_ < queue_.size() && batches_.size() < limits_.batches &&
         in_flight_ < limits_.records;
}

// A cut before the first of all that is under way needs no saying: what came before it has been answered.
std::vector<Payload> Outbox::NextBatch(const Position& known, std::uint64_t run) {
  Batch batch{{}, answered_, known, run};
  std::vector<Payload> parts(1);
  const std::size_t most = std::min(limits_.batch_records, limits_.records - in_flight_);
  std::size_t records = 0;
  std::uint64_t bytes = 0;
  for (; records < most && in_flight_ < queue_.size(); ++records, ++in_flight_) {
    Waiting& waiting = queue_[in_flight_];
    if (records > 0 && bytes + waiting.bytes() > limits_.batch_bytes) break;
    if (waiting.cut && in_flight_ > 0) batch.cuts.push_back(static_cast<std::uint32_t>(records));
    parts.push_back(waiting.header);
    parts.push_back(waiting.payload);
    bytes += waiting.bytes();
    ++waiting.sendings;
  }
  batches_.push_back(records);
  parts.front() = Payload::Of(Encode(batch));
  return parts;
}

Result<std::size_t> Outbox::Take(std::span<const Answer> answers, bool sent_again) {
  if (answers.size() != oldest_batch()) {
    Error error{EPROTO,
                fmt::format("the relay gave {} answers to {} records", answers.size(), oldest_batch())};
    Doubt();
    return error;
  }
  std::size_t settled = 0;
  while (settled < answers.size() && !IsDoubt(answers[settled], sent_again || queue_[settled].sendings > 1))
    ++settled;
  Settle(settled);
  if (settled < answers.size()) {
    Doubt();
  } else if (!batches_.empty()) {
    batches_.pop_front();
  }
  return settled;
}

void Outbox::Doubt() {
  if (in_flight_ > 0) in_doubt_ = true;
  in_flight_ = 0;
  batches_.clear();
}

void Outbox::Settle(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    bytes_ -= queue_.front().bytes();
    queue_.pop_front();
    ++answered_;
    --in_flight_;
  }
}

}  // namespace hawser
