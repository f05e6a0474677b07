#include "fuse_primary/relay_client.h"

#include <fmt/format.h>

namespace hawser {

RelayClient::Lane::Lane(const RelayClient& client, std::uint32_t number)
    : client_(client), lane_(number), requester_(client.context_, client.endpoint_) {}

Origin RelayClient::Lane::NextOrigin() const {
  return {client_.node_, client_.session_, lane_, acknowledged_ + 1};
}

Result<Answer> RelayClient::Lane::Submit(Bytes header, Bytes payload, std::optional<Deadline> deadline,
                                         const std::atomic<bool>* cancel) {
  HAWSER_ASSIGN(const Incoming reply, requester_.Request(MessageType::kSubmit, {header, payload}, deadline, cancel));
  const Bytes body = reply.parts() > 0 ? reply.part(0) : Bytes();
  if (reply.type() == MessageType::kAck) {
    HAWSER_ASSIGN(const Ack ack, Decode<Ack>(body));
    ++acknowledged_;
    return Answer(ack);
  }
  if (reply.type() == MessageType::kRefusal) {
    HAWSER_ASSIGN(Refusal refusal, Decode<Refusal>(body));
    return Answer(std::move(refusal));
  }
  return Error{EPROTO, fmt::format("the relay at {} answered a record by a message of type {}", client_.endpoint_,
                                   static_cast<int>(reply.type()))};
}

RelayClient::Loan RelayClient::Borrow() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return {new Lane(*this, ++lanes_), GiveBack{this}};
  Lane* lane = free_.back().release();
  free_.pop_back();
  return {lane, GiveBack{this}};
}

void RelayClient::Return(Lane* lane) {
  const std::lock_guard lock(mutex_);
  free_.emplace_back(lane);
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
