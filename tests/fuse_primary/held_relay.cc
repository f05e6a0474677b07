#include "tests/fuse_primary/held_relay.h"

#include "common/record/codec.h"

namespace hawser::test {

namespace {

HeldRelay::Numbers NumbersIn(const Incoming& message) {
  HeldRelay::Numbers numbers;
  for (std::size_t i = 1; i + 1 < message.parts(); i += 2) {
    if (const auto record = DecodeRecord(message.part(i), message.part(i + 1)))
      numbers.push_back(record->origin.number);
  }
  return numbers;
}

}  // namespace

std::vector<Answer> HeldRelay::AcceptAll(const Numbers& numbers, int) {
  std::vector<Answer> answers;
  for (const std::uint64_t number : numbers) answers.push_back(Ack{Sequence(number), {}, false});
  return answers;
}

std::vector<Answer> HeldRelay::RefuseEven(const Numbers& numbers, int nth) {
  auto answers = AcceptAll(numbers, nth);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (numbers[i] % 2 == 0) answers[i] = Refusal{RefusalCode::kJournalFull, "full"};
  return answers;
}

std::vector<Answer> HeldRelay::FailFirst(const Numbers& numbers, int nth) {
  if (nth > 0) return AcceptAll(numbers, nth);
  return std::vector<Answer>(numbers.size(), Refusal{RefusalCode::kJournalFailed, "failed"});
}

std::vector<Answer> HeldRelay::BabbleFirst(const Numbers& numbers, int nth) {
  if (nth > 0) return AcceptAll(numbers, nth);
  return {};
}

HeldRelay::HeldRelay() : router_(*Router::Bind(context_, "tcp://127.0.0.1:*")), thread_([this] { Run(); }) {}

HeldRelay::~HeldRelay() {
  stop_ = true;
  thread_.join();
}

void HeldRelay::AnswerNow(Manner manner) { manner_ = manner; }

void HeldRelay::AnswerOnceOddly(Oddity oddity) {
  const MutexLock lock(mutex_);
  oddities_.push_back(std::move(oddity));
}

HeldRelay::Oddity HeldRelay::ReplyTo(const Numbers& numbers, Manner manner, int nth) {
  const MutexLock lock(mutex_);
  if (!oddities_.empty()) {
    Oddity odd = std::move(oddities_.front());
    oddities_.pop_front();
    return odd;
  }
  Oddity reply{MessageType::kAnswers, {}};
  reply.parts.push_back(Encode(Answers{manner(numbers, nth)}));
  return reply;
}

std::vector<HeldRelay::Numbers> HeldRelay::batches() const {
  const MutexLock lock(mutex_);
  return batches_;
}

bool HeldRelay::AwaitBatches(std::size_t count) const {
  return WaitUntil([&] { return batches().size() >= count; });
}

bool HeldRelay::AwaitQueued(const Shipper& shipper, std::size_t count) {
  return WaitUntil([&] { return shipper.records() >= count; });
}

void HeldRelay::Run() {
  std::vector<std::pair<Asker, Numbers>> held;
  int answered = 0;
  while (!stop_) {
    auto arrival = router_->Receive(std::chrono::milliseconds(5));
    if (arrival && *arrival && (*arrival)->message) {
      held.emplace_back((*arrival)->from, NumbersIn(*(*arrival)->message));
      const MutexLock lock(mutex_);
      batches_.push_back(held.back().second);
    }
    const Manner manner = manner_;
    if (manner == nullptr) continue;
    for (const auto& [asker, numbers] : held) {
      Oddity reply = ReplyTo(numbers, manner, answered++);
      router_->Reply(asker, reply.type, std::move(reply.parts));
    }
    held.clear();
  }
}

}  // namespace hawser::test
