#include "tests/sim/shipping.h"

#include <algorithm>

#include "common/record/codec.h"
#include "fuse_primary/answers.h"

namespace hawser::sim {

namespace {

constexpr auto kAskAgain = milliseconds(20);
constexpr std::uint64_t kMostAtOnce = 5;   // records in a batch
constexpr std::uint64_t kMostBatches = 4;  // under way
constexpr double kCut = 0.2;               // chance of one before a record

OutboxLimits SmallBatches(Rng& rng) {
  OutboxLimits limits;
  limits.batch_records = 1 + rng.Below(kMostAtOnce);
  limits.batches = 1 + rng.Below(kMostBatches);
  return limits;
}

}  // namespace

bool IsDoubt(const Answer& answer) {
  const auto* refusal = std::get_if<Refusal>(&answer);
  return refusal != nullptr && refusal->code == RefusalCode::kJournalFailed;
}

Shipping::Shipping(World& world, Checker& checker, NodeName node, std::uint64_t session, KnownHead& known,
                   Requests& requests, LifePtr life)
    : world_(world),
      checker_(checker),
      known_(known),
      requests_(requests),
      life_(std::move(life)),
      outbox_(std::move(node), session, SmallBatches(world.rng())) {}

// A cut may lie anywhere: it only separates more than must be.
void Shipping::Queue(Record& record, const Buffer& payload, std::uint64_t call, Settled settled) {
  const bool cut = world_.rng().Chance(kCut);
  if (cut && !under_way_.empty()) checker_.Divided(under_way_.back().call, call);
  outbox_.Add(record, Payload::CopyOf(payload), cut);
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
  for (const Payload& part : outbox_.NextBatch(known_.Get().position, known_.run()))
    parts.emplace_back(part.bytes().begin(), part.bytes().end());
  if (reused_ > 0) parts = WithNumbersReused(std::move(parts));
  const auto asked = std::make_shared<Asked>();
  Requests::Request request;
  request.port = Port::kWrite;
  request.type = MessageType::kSubmit;
  request.call = under_way_[outbox_.in_flight() - 1].call;
  request.parts = [this, parts, asked](int attempt) {
    asked->sent_again = attempt > 0;
    return PartsOf(parts, attempt);
  };
  request.answered = [this, asked](std::optional<Incoming> reply) {
    asked->reply = std::move(reply);
    if (!asked->given_up) TakeInOrder();
  };
  asked_.push_back(asked);
  requests_.Send(std::move(request));
  SendSoon();
}

void Shipping::GiveUp() {
  for (const auto& asked : asked_) asked->given_up = true;
  asked_.clear();
}

namespace {

// [Batch][header][payload]...
void ChangeNumbers(std::vector<Buffer>& parts, std::uint64_t by) {
  for (std::size_t i = 1; i + 1 < parts.size(); i += 2) {
    auto record = DecodeRecord(parts[i], parts[i + 1]);
    record->origin.number += by;
    parts[i] = EncodeRecord(*record);
  }
}

}  // namespace

std::vector<Buffer> Shipping::PartsOf(const std::vector<Buffer>& parts, int attempt) const {
  if (attempt == 0 || !world_.mutations().Has(Fault::kResendWithNewNumber)) return parts;
  std::vector<Buffer> changed = parts;
  ChangeNumbers(changed, outbox_.records());
  return changed;
}

std::vector<Buffer> Shipping::WithNumbersReused(std::vector<Buffer> parts) const {
  auto batch = Decode<Batch>(parts.front());
  batch->answered -= reused_;
  parts.front() = Encode(*batch);
  ChangeNumbers(parts, -reused_);
  return parts;
}

// To the outbox it is as if the first of those in doubt had been answered.
std::optional<std::size_t> Shipping::DropOneInDoubt(std::vector<Answer>& answers) {
  const auto first = std::find_if(answers.begin(), answers.end(), [](const Answer& answer) {
    const auto* refusal = std::get_if<Refusal>(&answer);
    return IsDoubt(answer) || (refusal != nullptr && refusal->code == RefusalCode::kOtherRun);
  });
  if (first == answers.end()) return std::nullopt;
  *first = Refusal{RefusalCode::kJournalFull, "dropped"};
  ++reused_;
  return first - answers.begin();
}

void Shipping::TakeInOrder() {
  while (!life_->dead && !asked_.empty() && asked_.front()->reply) {
    const auto asked = asked_.front();
    asked_.pop_front();
    auto answers = AnswersIn(*asked->reply, outbox_.oldest_batch());
    if (!answers) return world_.Fail(kI7, "the relay's answer to a batch: " + answers.error().Text());
    HandOut(*std::move(answers), asked->sent_again);
  }
}

void Shipping::HandOut(std::vector<Answer> answers, bool sent_again) {
  if (world_.mutations().Has(Fault::kTakeDoubtForNo)) {
    for (Answer& answer : answers)
      if (IsDoubt(answer)) answer = Refusal{RefusalCode::kJournalFull, "taken for a no"};
  }
  std::optional<std::size_t> dropped;
  if (world_.mutations().Has(Fault::kReuseNumber)) dropped = DropOneInDoubt(answers);
  if (const auto acknowledged = NewestIn(answers)) known_.Hear(*acknowledged);
  const auto settled = outbox_.Take(answers, sent_again);
  if (!settled) return world_.Fail(kI7, settled.error().Text());
  if (dropped)
    answers[*dropped] = Refusal{RefusalCode::kJournalFailed, "its caller is told that it is in doubt"};
  if (world_.mutations().Has(Fault::kSwapAnswers))
    std::reverse(answers.begin(), answers.begin() + static_cast<std::ptrdiff_t>(*settled));
  std::vector<UnderWay> done;
  for (std::size_t i = 0; i < *settled; ++i) {
    done.push_back(std::move(under_way_.front()));
    under_way_.pop_front();
  }
  if (outbox_.in_doubt()) {
    GiveUp();
    world_.After(kAskAgain, life_, [this] {
      outbox_.Retry();
      SendSoon();
    });
  }
  SendSoon();
  for (std::size_t i = 0; i < done.size() && !life_->dead; ++i) done[i].settled(answers[i]);
}

}  // namespace hawser::sim
