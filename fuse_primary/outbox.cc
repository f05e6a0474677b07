#include "fuse_primary/outbox.h"

#include <fmt/format.h>

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
      return false;
  }
  return false;
}

bool IsDoubt(const Answer& answer, bool sent_before) {
  const auto* refusal = std::get_if<Refusal>(&answer);
  return refusal != nullptr && LeavesOpen(refusal->code, sent_before);
}

}  // namespace

void Outbox::Add(Record& record, Payload payload, bool cut, Deadline now) {
  record.origin = {node_, session_, ++last_number_};
  queue_.push_back({Payload::Of(EncodeRecord(record)), std::move(payload), cut, now});
  bytes_ += queue_.back().bytes();
}

// A cut before the first record needs no saying: what came before it has been answered.
std::vector<Payload> Outbox::NextBatch() {
  Batch batch;
  std::vector<Payload> parts(1);
  std::uint64_t bytes = 0;
  for (Waiting& waiting : queue_) {
    if (in_flight_ > 0 &&
        (in_flight_ == limits_.batch_records || bytes + waiting.bytes() > limits_.batch_bytes))
      break;
    if (waiting.cut && in_flight_ > 0) batch.cuts.push_back(static_cast<std::uint32_t>(in_flight_));
    parts.push_back(waiting.header);
    parts.push_back(waiting.payload);
    bytes += waiting.bytes();
    ++waiting.sendings;
    ++in_flight_;
  }
  parts.front() = Payload::Of(Encode(batch));
  return parts;
}

Result<std::size_t> Outbox::Take(std::span<const Answer> answers) {
  if (answers.size() != in_flight_) {
    Error error{EPROTO, fmt::format("the relay gave {} answers to {} records", answers.size(), in_flight_)};
    Doubt();
    return error;
  }
  std::size_t settled = 0;
  while (settled < answers.size() && !IsDoubt(answers[settled], queue_[settled].sendings > 1)) ++settled;
  in_doubt_ = settled < answers.size();
  Settle(settled);
  return settled;
}

void Outbox::Doubt() {
  if (in_flight_ > 0) in_doubt_ = true;
  in_flight_ = 0;
}

void Outbox::Settle(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    bytes_ -= queue_.front().bytes();
    queue_.pop_front();
  }
  in_flight_ = 0;
}

std::optional<Deadline> Outbox::oldest() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.front().entered;
}

}  // namespace hawser
