#include "tests/sim/shipping.h"

#include <algorithm>

#include "common/record/codec.h"
#include "fuse_primary/answers.h"
#include "tests/sim/checker.h"

namespace hawser::sim {

namespace {

constexpr auto kAskAgain = milliseconds(20);
constexpr std::uint64_t kMostAtOnce = 5;  // records in a batch
constexpr double kCut = 0.2;              // chance of one before a record

OutboxLimits SmallBatches(Rng& rng) {
  OutboxLimits limits;
  limits.batch_records = 1 + rng.Below(kMostAtOnce);
  return limits;
}

bool IsDoubt(const Answer& answer) {
  const auto* refusal = std::get_if<Refusal>(&answer);
  return refusal != nullptr && refusal->code == RefusalCode::kJournalFailed;
}

}  // namespace

Shipping::Shipping(World& world, NodeName node, std::uint64_t session, Requests& requests, LifePtr life)
    : world_(world),
      requests_(requests),
      life_(std::move(life)),
      outbox_(std::move(node), session, SmallBatches(world.rng())) {}

// A cut may lie anywhere: it only separates more than must be.
void Shipping::Queue(Record& record, const Buffer& payload, std::uint64_t call, Settled settled) {
  outbox_.Add(record, Payload::CopyOf(payload), world_.rng().Chance(kCut), world_.deadline());
  under_way_.push_back({call, std::move(settled)});
  SendSoon();
}

// After a moment in which others may come.
void Shipping::SendSoon() {
  if (sending_soon_ || !outbox_.ready()) return;
  sending_soon_ = true;
  world_.After(microseconds(world_.rng().Between(0, 400)), life_, [this] {
    sending_soon_ = false;
    if (outbox_.ready()) Send();
  });
}

void Shipping::Send() {
  std::vector<Buffer> parts;
  for (const Payload& part : outbox_.NextBatch())
    parts.emplace_back(part.bytes().begin(), part.bytes().end());
  Requests::Request request;
  request.port = Port::kWrite;
  request.type = MessageType::kSubmit;
  request.call = under_way_.front().call;
  request.parts = [this, parts](int attempt) { return PartsOf(parts, attempt); };
  request.answered = [this](std::optional<Incoming> reply) { Take(*reply); };
  requests_.Send(std::move(request));
}

// [Batch][header][payload]...
std::vector<Buffer> Shipping::PartsOf(const std::vector<Buffer>& parts, int attempt) const {
  if (attempt == 0 || !world_.mutations().Has(Fault::kResendWithNewNumber)) return parts;
  std::vector<Buffer> changed = parts;
  for (std::size_t i = 1; i + 1 < changed.size(); i += 2) {
    auto record = DecodeRecord(changed[i], changed[i + 1]);
    record->origin.number += outbox_.records();
    changed[i] = EncodeRecord(*record);
  }
  return changed;
}

void Shipping::Take(const Incoming& reply) {
  auto answers = AnswersIn(reply, outbox_.in_flight());
  if (!answers) return world_.Fail(kI7, "the relay's answer to a batch: " + answers.error().Text());
  HandOut(*std::move(answers));
}

void Shipping::HandOut(std::vector<Answer> answers) {
  if (world_.mutations().Has(Fault::kTakeDoubtForNo)) {
    for (Answer& answer : answers)
      if (IsDoubt(answer)) answer = Refusal{RefusalCode::kJournalFull, "taken for a no"};
  }
  const auto settled = outbox_.Take(answers);
  if (!settled) return world_.Fail(kI7, settled.error().Text());
  if (world_.mutations().Has(Fault::kSwapAnswers))
    std::reverse(answers.begin(), answers.begin() + static_cast<std::ptrdiff_t>(*settled));
  std::vector<UnderWay> done;
  for (std::size_t i = 0; i < *settled; ++i) {
    done.push_back(std::move(under_way_.front()));
    under_way_.pop_front();
  }
  if (outbox_.in_doubt()) {
    world_.After(kAskAgain, life_, [this] {
      outbox_.Retry();
      SendSoon();
    });
  }
  SendSoon();
  for (std::size_t i = 0; i < done.size() && !life_->dead; ++i) done[i].settled(answers[i]);
}

}  // namespace hawser::sim
