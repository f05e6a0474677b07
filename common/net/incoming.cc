#include "common/net/incoming.h"

#include "common/net/outgoing.h"
#include "common/net/socket.h"

namespace hawser {

Incoming::Incoming() : state_(std::make_unique<State>()) {}
Incoming::~Incoming() = default;
Incoming::Incoming(Incoming&&) noexcept = default;
Incoming& Incoming::operator=(Incoming&&) noexcept = default;
Incoming::Incoming(std::unique_ptr<State> state) : state_(std::move(state)) {}

MessageType Incoming::type() const { return state_->type; }
std::size_t Incoming::parts() const { return state_->parts.size(); }
Bytes Incoming::part(std::size_t index) const { return ToBytes(state_->parts[index]); }

Incoming Incoming::Of(MessageType type, std::vector<Buffer> parts) {
  auto state = std::make_unique<State>();
  state->type = type;
  for (Buffer& part : parts) state->parts.push_back(AdoptPart(std::move(part)));
  return Incoming(std::move(state));
}

Result<Incoming> ToIncoming(std::vector<zmq::message_t> parts) {
  HAWSER_ASSIGN(const MessageType type, DecodeEnvelope(parts.empty() ? Bytes{} : ToBytes(parts.front())));
  auto state = std::make_unique<Incoming::State>();
  state->type = type;
  parts.erase(parts.begin());
  state->parts = std::move(parts);
  return Incoming(std::move(state));
}

}  // namespace hawser
