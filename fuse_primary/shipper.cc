#include "fuse_primary/shipper.h"

#include <algorithm>

#include "common/base/log.h"
#include "fuse_primary/answers.h"

namespace hawser {

namespace {

// How often a relay is asked that can't tell what became of records.
constexpr auto kAskAgain = std::chrono::seconds(1);

}  // namespace

Shipper::Shipper(NetContext& context, std::string endpoint, NodeName node, std::uint64_t session,
                 OutboxLimits limits)
    : endpoint_(std::move(endpoint)),
      node_(std::move(node)),
      requester_(context, endpoint_),
      outbox_(node_, session, limits),
      thread_([this] { Run(); }) {}

Shipper::~Shipper() {
  stopping_ = true;
  {
    const MutexLock lock(mutex_);
    background_.NotifyAll();
  }
  thread_.join();
}

// ---- callers

Status Shipper::Queue(const std::shared_ptr<Shipment>& shipment, const Patience& patience) {
  const MutexLock lock(mutex_);
  // Who waits for room drives too: it may be the shipper's own thread, and nobody else be there.
  while (outbox_.full()) {
    if (auto over = patience.Over()) {
      PassOn();
      return *std::move(over);
    }
    if (HasWork() && !driven_) {
      Drive(patience.NextLook(), patience.cancel);
    } else {
      (void)room_.WaitUntil(mutex_, patience.NextLook());
    }
  }
  outbox_.Add(shipment->record, shipment->payload, shipment->cut, SteadyClock::now());
  under_way_.push_back(shipment);
  shipment->awaited_ = true;
  return {};
}

Result<Answer> Shipper::Await(Shipment& shipment, const Patience& patience) {
  const MutexLock lock(mutex_);
  std::optional<Error> over;
  while (!shipment.answer_ && !(over = patience.Over())) {
    if (HasWork() && !driven_) {
      Drive(patience.deadline.value_or(Deadline::max()), patience.cancel);
    } else {
      (void)shipment.changed_.WaitUntil(mutex_, patience.NextLook());
    }
  }
  if (!shipment.answer_) shipment.awaited_ = false;
  PassOn();
  if (!shipment.answer_) return *std::move(over);
  return *std::move(shipment.answer_);
}

void Shipper::Forget(const void* owner) {
  std::vector<std::shared_ptr<Shipment>> dropped;  // outside the lock: they hold turns and files
  const MutexLock lock(mutex_);
  const auto drop = [&](std::shared_ptr<Shipment>& shipment) {
    if (shipment != nullptr && shipment->owner_ == owner) dropped.push_back(std::move(shipment));
  };
  for (;;) {
    std::for_each(under_way_.begin(), under_way_.end(), drop);
    std::for_each(left_.begin(), left_.end(), drop);
    std::erase(left_, nullptr);
    if (finishing_ != owner) return;
    finished_.Wait(mutex_);
  }
}

std::size_t Shipper::records() const {
  const MutexLock lock(mutex_);
  return outbox_.records();
}

// ---- driving

// The first of those that wait takes the driver's place; if nobody waits, the shipper's thread does.
void Shipper::PassOn() {
  if (driven_ || under_way_.empty()) return;
  for (const auto& shipment : under_way_) {
    if (shipment != nullptr && shipment->awaited_) return shipment->changed_.NotifyOne();
  }
  background_.NotifyOne();
}

bool Shipper::HasWork() const {
  return outbox_.in_flight() > 0 || outbox_.ready() ||
         (outbox_.in_doubt() && SteadyClock::now() >= ask_again_);
}

// Sends what is there to be sent, and waits for one answer, or until `until` or *cancel. Lets go of the lock
// meanwhile.
void Shipper::Drive(Deadline until, const std::atomic<bool>* cancel) {
  driven_ = true;
  if (outbox_.in_doubt()) outbox_.Retry();
  if (outbox_.ready()) Send();
  mutex_.Unlock();
  const auto reply = requester_.Await(until, cancel);
  mutex_.Lock();
  if (!reply) {
    Doubt(reply.error().Text());
  } else if (*reply) {
    Take(**reply);
  }
  driven_ = false;
}

void Shipper::Send() {
  std::vector<Payload> parts = outbox_.NextBatch();
  mutex_.Unlock();
  requester_.Begin(MessageType::kSubmit, std::move(parts));
  mutex_.Lock();
}

void Shipper::Take(const Incoming& reply) {
  const auto answers = AnswersIn(reply, outbox_.in_flight());
  if (!answers) return Doubt(answers.error().Text());
  HandOut(*answers);
}

void Shipper::Doubt(const std::string& why) {
  outbox_.Doubt();
  ask_again_ = SteadyClock::now() + kAskAgain;
  if (!std::exchange(complained_, true))
    log::warn("what became of changes is not known; asking the relay at {} until it can tell: {}", endpoint_,
              why);
}

void Shipper::HandOut(std::span<const Answer> answers) {
  const auto settled = outbox_.Take(answers);
  if (!settled) return Doubt(settled.error().Text());
  if (outbox_.in_doubt()) Doubt(std::get<Refusal>(answers[*settled]).text);
  if (*settled > 0) complained_ = false;
  auto awaited = Settle(answers.first(*settled));
  if (!outbox_.full()) room_.NotifyAll();
  // First the relay gets its next work, then those who wait get the processor.
  if (outbox_.ready()) Send();
  mutex_.Unlock();
  for (const auto& shipment : awaited) shipment->changed_.NotifyOne();
  awaited.clear();  // it may be the last to hold them: not under the lock
  mutex_.Lock();
}

// Returns those for whom somebody waits. The others are the shipper's thread's.
std::vector<std::shared_ptr<Shipment>> Shipper::Settle(std::span<const Answer> answers) {
  std::vector<std::shared_ptr<Shipment>> awaited;
  for (const Answer& answer : answers) {
    std::shared_ptr<Shipment> shipment = std::move(under_way_.front());
    under_way_.pop_front();
    if (shipment == nullptr) continue;
    shipment->answer_ = answer;
    if (shipment->awaited_) {
      awaited.push_back(std::move(shipment));
    } else {
      left_.push_back(std::move(shipment));
    }
  }
  if (!left_.empty()) background_.NotifyOne();
  return awaited;
}

// ---- the shipper's thread

bool Shipper::AnybodyWaits() const {
  return std::any_of(under_way_.begin(), under_way_.end(),
                     [](const auto& shipment) { return shipment != nullptr && shipment->awaited_; });
}

void Shipper::Run() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    if (!left_.empty()) {
      FinishOne();
    } else if (driven_ || AnybodyWaits()) {
      background_.Wait(mutex_);  // whoever leaves the driver's place to nobody tells
    } else if (HasWork()) {
      Drive(Deadline::max(), &stopping_);
      PassOn();
    } else if (outbox_.in_doubt()) {
      (void)background_.WaitUntil(mutex_, ask_again_);
    } else {
      background_.Wait(mutex_);
    }
  }
}

void Shipper::FinishOne() {
  std::shared_ptr<Shipment> shipment = std::move(left_.front());
  left_.pop_front();
  finishing_ = shipment->owner_;
  mutex_.Unlock();
  shipment->FinishAlone(*shipment->answer_);
  shipment.reset();
  mutex_.Lock();
  finishing_ = nullptr;
  finished_.NotifyAll();
}

}  // namespace hawser
