#include "fuse_primary/relay_client.h"

#include <fmt/format.h>

#include <thread>

namespace hawser {

namespace {

// How often a relay is asked whose journal has failed; and how often one looks meanwhile whether to go on.
constexpr auto kAskAgain = std::chrono::seconds(1);
constexpr auto kCancelCheck = std::chrono::milliseconds(50);

}  // namespace

RelayClient::Lane::Lane(const RelayClient& client)
    : client_(client), requester_(client.context_, client.endpoint_) {}

Origin RelayClient::Lane::NextOrigin() const { return {client_.node_, client_.session_, answered_ + 1}; }

Result<Answer> RelayClient::Lane::Submit(Bytes header, Bytes payload, std::optional<Deadline> deadline,
                                         const std::atomic<bool>* cancel) {
  for (;;) {
    HAWSER_ASSIGN(Answer answer, Ask(header, payload, deadline, cancel));
    const auto* refusal = std::get_if<Refusal>(&answer);
    if (refusal == nullptr || refusal->code != RefusalCode::kJournalFailed) {
      ++answered_;
      return answer;
    }
    // The frame may be on the relay's disk for all that: whether it is shows when the relay is restarted.
    HAWSER_TRY(WaitToAskAgain(refusal->text, deadline, cancel));
  }
}

Result<Answer> RelayClient::Lane::Ask(Bytes header, Bytes payload, std::optional<Deadline> deadline,
                                      const std::atomic<bool>* cancel) {
  const Buffer batch = Encode(Batch{});
  HAWSER_ASSIGN(const Incoming reply,
                requester_.Request(MessageType::kSubmit, {batch, header, payload}, deadline, cancel));
  const Bytes body = reply.parts() > 0 ? reply.part(0) : Bytes();
  if (reply.type() == MessageType::kAnswers) {
    HAWSER_ASSIGN(Answers answers, Decode<Answers>(body));
    if (answers.answers.size() == 1) return std::move(answers.answers.front());
  }
  if (reply.type() == MessageType::kRefusal) {
    HAWSER_ASSIGN(Refusal refusal, Decode<Refusal>(body));
    return Answer(std::move(refusal));
  }
  return Error{EPROTO, fmt::format("the relay at {} answered a record by a message of type {}",
                                   client_.endpoint_, static_cast<int>(reply.type()))};
}

Status RelayClient::Lane::WaitToAskAgain(const std::string& why, std::optional<Deadline> deadline,
                                         const std::atomic<bool>* cancel) const {
  const Deadline again = SteadyClock::now() + kAskAgain;
  while (SteadyClock::now() < again) {
    if (cancel != nullptr && cancel->load()) return Error{ECANCELED, why};
    if (deadline && SteadyClock::now() >= *deadline) return Error{ETIMEDOUT, why};
    std::this_thread::sleep_for(kCancelCheck);
  }
  return {};
}

Result<RelayClient::Loan> RelayClient::Borrow(std::optional<Deadline> deadline,
                                              const std::atomic<bool>* cancel) {
  const MutexLock lock(mutex_);
  while (lent_) {
    if (cancel != nullptr && cancel->load()) return Error{ECANCELED, "waiting for " + endpoint_};
    if (deadline && SteadyClock::now() >= *deadline) return Error{ETIMEDOUT, "no answer from " + endpoint_};
    static_cast<void>(returned_.WaitUntil(mutex_, SteadyClock::now() + kCancelCheck));
  }
  lent_ = true;
  return Loan(lane_.get(), GiveBack{this});
}

void RelayClient::Return() {
  {
    const MutexLock lock(mutex_);
    lent_ = false;
  }
  returned_.NotifyOne();
}

Result<Welcome> RelayClient::Hello(std::optional<Deadline> deadline, const std::atomic<bool>* cancel) {
  const Buffer hello = Encode(hawser::Hello{node_, session_});
  Requester requester(context_, endpoint_);
  HAWSER_ASSIGN(const Incoming reply, requester.Request(MessageType::kHello, {hello}, deadline, cancel));
  const Bytes body = reply.parts() > 0 ? reply.part(0) : Bytes();
  if (reply.type() == MessageType::kWelcome) return Decode<Welcome>(body);
  if (reply.type() == MessageType::kRefusal) {
    HAWSER_ASSIGN(const Refusal refusal, Decode<Refusal>(body));
    return Error{ToErrno(refusal.code), "the relay refused this node: " + refusal.text};
  }
  return Error{EPROTO, "the relay at " + endpoint_ + " didn't answer the greeting by a welcome"};
}

}  // namespace hawser
