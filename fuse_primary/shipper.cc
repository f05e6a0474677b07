#include "fuse_primary/shipper.h"

#include <algorithm>

#include "common/base/log.h"
#include "fuse_primary/answers.h"

namespace hawser {

namespace {

// How often a relay is asked that can't tell what became of records.
constexpr auto kAskAgain = std::chrono::seconds(1);
// A relay that was started anew is heard of soon; until then it takes nothing. If it isn't heard of for so
// many times, it refuses this node's reports too.
constexpr auto kAwaitNewRun = std::chrono::milliseconds(100);
constexpr int kPatienceWithNewRun = 20;

}  // namespace

// By who has waited for it.
Answer Shipment::Receive() {
  if (const auto next = std::move(next_)) next->settled_.Release();
  return *std::move(answer_);
}

Shipper::Shipper(NetContext& context, std::string endpoint, NodeName node, std::uint64_t session,
                 KnownHead& known, OutboxLimits limits)
    : endpoint_(std::move(endpoint)),
      node_(std::move(node)),
      session_(session),
      file_ids_(session),
      known_(known),
      requester_(context, endpoint_),
      outbox_(node_, session, limits),
      driver_([this] { DriveForOthers(); }),
      finisher_([this] { FinishThoseThatWereLeft(); }) {}

Shipper::~Shipper() {
  stopping_ = true;
  {
    const MutexLock lock(mutex_);
    undriven_.NotifyAll();
    some_left_.NotifyAll();
  }
  finisher_.join();
  driver_.join();
}

// ---- callers

Status Shipper::Queue(const std::shared_ptr<Shipment>& shipment, const Patience& patience) {
  const MutexLock lock(mutex_);
  for (;;) {
    if (auto over = patience.Over()) return *std::move(over);
    if (!outbox_.full()) break;
    (void)room_.WaitUntil(mutex_, patience.NextLook());
  }
  if (outbox_.records() == 0) silent_since_ = SteadyClock::now();
  outbox_.Add(shipment->record, shipment->payload, shipment->cut);
  under_way_.push_back(shipment);
  shipment->awaited_ = true;
  Send();
  return {};
}

Result<Answer> Shipper::Await(Shipment& shipment, const Patience& patience) {
  bool settled = false;
  {
    const MutexLock lock(mutex_);
    while (!driven_ && HasWork() && !shipment.answer_ && !patience.Over())
      Drive(patience.deadline.value_or(Deadline::max()), patience.cancel);
    if (!driven_ && !under_way_.empty()) undriven_.NotifyOne();
    settled = shipment.answer_.has_value();
  }
  while (!settled && !shipment.settled_.AcquireUntil(patience.NextLook())) {
    auto over = patience.Over();
    if (!over) continue;
    const MutexLock lock(mutex_);
    if (shipment.answer_) break;
    shipment.awaited_ = false;
    return *std::move(over);
  }
  return shipment.Receive();
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

std::uint64_t Shipper::answered() const {
  const MutexLock lock(mutex_);
  return outbox_.answered();
}

SteadyClock::duration Shipper::silent_for() const {
  const MutexLock lock(mutex_);
  return outbox_.records() == 0 ? SteadyClock::duration() : SteadyClock::now() - silent_since_;
}

// ---- driving

bool Shipper::HasWork() const {
  return outbox_.in_flight() > 0 || (outbox_.in_doubt() && SteadyClock::now() >= ask_again_);
}

// Waits for one answer, or until `until` or *cancel, and hands it out. Lets go of the lock meanwhile.
void Shipper::Drive(Deadline until, const std::atomic<bool>* cancel) {
  driven_ = true;
  if (outbox_.in_doubt()) {
    outbox_.Retry();
    Send();
  }
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

// Sends all that may go out, also what comes meanwhile. Lets go of the lock.
void Shipper::Send() {
  if (sending_) return;
  sending_ = true;
  while (outbox_.ready()) {
    const std::uint64_t run = known_.run();  // before the position: that is then as new as the run, or newer
    std::vector<Payload> parts = outbox_.NextBatch(known_.Get().position, run);
    mutex_.Unlock();
    requester_.Begin(MessageType::kSubmit, std::move(parts));
    mutex_.Lock();
  }
  sending_ = false;
  sent_.NotifyAll();
}

// No answer to anything that is under way will be taken.
void Shipper::Doubt() {
  while (sending_) sent_.Wait(mutex_);
  requester_.GiveUp();
  outbox_.Doubt();
  ask_again_ = SteadyClock::now() + kAskAgain;
  log::debug("{} changes are in doubt", outbox_.records());
}

void Shipper::Doubt(const std::string& why) {
  Doubt();
  if (!std::exchange(complained_, true))
    log::warn("what became of changes is not known; asking the relay at {} until it can tell: {}", endpoint_,
              why);
}

void Shipper::Doubt(const Refusal& refusal) {
  if (refusal.code != RefusalCode::kOtherRun || ++other_runs_ > kPatienceWithNewRun)
    return Doubt(refusal.text);
  Doubt();
  ask_again_ = SteadyClock::now() + kAwaitNewRun;
}

void Shipper::Take(const Requester::Reply& reply) {
  const auto answers = AnswersIn(reply.message, outbox_.oldest_batch());
  if (!answers) return Doubt(answers.error().Text());
  const std::optional<Progress> acknowledged = NewestIn(*answers);
  const auto settled = outbox_.Take(*answers, reply.sent_again);
  if (!settled) return Doubt(settled.error().Text());
  if (*settled > 0) complained_ = false, other_runs_ = 0, silent_since_ = SteadyClock::now();
  std::shared_ptr<Shipment> first = Settle(std::span(*answers).first(*settled));
  if (outbox_.in_doubt()) Doubt(std::get<Refusal>((*answers)[*settled]));
  if (!outbox_.full()) room_.NotifyAll();
  // First the relay gets its next work, then those who wait get the processor.
  Send();
  mutex_.Unlock();
  if (acknowledged) known_.Hear(*acknowledged);
  if (first != nullptr) first->settled_.Release();
  first.reset();  // it may be the last to hold it: not under the lock
  mutex_.Lock();
}

// Returns the first for whom somebody waits. Those for whom nobody does are the finisher's.
std::shared_ptr<Shipment> Shipper::Settle(std::span<const Answer> answers) {
  std::shared_ptr<Shipment> first;
  Shipment* last = nullptr;
  for (const Answer& answer : answers) {
    std::shared_ptr<Shipment> shipment = std::move(under_way_.front());
    under_way_.pop_front();
    if (shipment == nullptr) continue;
    shipment->answer_ = answer;
    if (!shipment->awaited_) {
      left_.push_back(std::move(shipment));
      continue;
    }
    auto& place = last == nullptr ? first : last->next_;
    last = shipment.get();
    place = std::move(shipment);
  }
  if (!left_.empty()) some_left_.NotifyOne();
  return first;
}

// ---- the shipper's threads

void Shipper::DriveForOthers() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    if (!driven_ && HasWork()) {
      Drive(Deadline::max(), &stopping_);
    } else if (!driven_ && outbox_.in_doubt()) {
      (void)undriven_.WaitUntil(mutex_, ask_again_);
    } else {
      undriven_.Wait(mutex_);  // whoever stops driving while records are under way tells
    }
  }
}

void Shipper::FinishThoseThatWereLeft() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    if (left_.empty()) {
      some_left_.Wait(mutex_);
    } else {
      FinishOne();
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
