#include "tests/sim/outgoing.h"

#include <algorithm>

#include "common/net/limits.h"
#include "common/record/codec.h"
#include "tests/sim/checker.h"

namespace hawser::sim {

namespace {

constexpr auto kAskAgain = milliseconds(20);

bool IsDoubt(const Answer& answer) {
  const auto* refusal = std::get_if<Refusal>(&answer);
  return refusal != nullptr && refusal->code == RefusalCode::kJournalFailed;
}

}  // namespace

void Outgoing::Send(Record record, Buffer payload, std::uint64_t call, Answered answered) {
  record.origin = {node_, session_, ++last_};
  waiting_.push_back({std::move(record), std::move(payload), call, std::move(answered)});
  if (batch_.empty()) SendBatch();
}

void Outgoing::SendBatch() {
  while (!waiting_.empty() && batch_.size() < kMaxBatchRecords) {
    batch_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  if (!batch_.empty()) SendRequest();
}

void Outgoing::SendRequest() {
  Requests::Request request;
  request.port = Port::kWrite;
  request.type = MessageType::kSubmit;
  request.call = batch_.front().call;
  request.parts = [this](int attempt) { return PartsOf(attempt); };
  request.answered = [this](std::optional<Incoming> reply) { Finish(*reply); };
  requests_.Send(std::move(request));
}

std::vector<Buffer> Outgoing::PartsOf(int attempt) {
  if (attempt > 0 && world_.mutations().Has(Fault::kResendWithNewNumber)) {
    for (Item& item : batch_) item.record.origin.number = ++last_;
  }
  std::vector<Buffer> parts;
  parts.push_back(Encode(Batch{}));
  for (const Item& item : batch_) {
    parts.push_back(EncodeRecord(item.record));
    parts.push_back(item.payload);
  }
  return parts;
}

void Outgoing::Finish(const Incoming& reply) {
  if (reply.type() == MessageType::kAnswers) {
    const auto answers = Decode<Answers>(reply.part(0));
    if (answers && answers->answers.size() == batch_.size()) return Settle(answers->answers);
  } else if (reply.type() == MessageType::kRefusal) {
    const auto refusal = Decode<Refusal>(reply.part(0));
    if (refusal) return Settle(std::vector<Answer>(batch_.size(), *refusal));
  }
  world_.Fail(kI7, "the relay's answer to a batch can't be understood");
}

void Outgoing::Settle(const std::vector<Answer>& answers) {
  // In doubt: a record may be in the journal when the relay is back. The batch is sent again as it is.
  if (std::ranges::any_of(answers, IsDoubt) && !world_.mutations().Has(Fault::kTakeDoubtForNo)) {
    world_.After(kAskAgain, life_, [this] { SendRequest(); });
    return;
  }
  const std::vector<Item> settled = std::exchange(batch_, {});
  for (std::size_t i = 0; i < settled.size() && !life_->dead; ++i) settled[i].answered(answers[i]);
  if (batch_.empty() && !life_->dead) SendBatch();
}

}  // namespace hawser::sim
