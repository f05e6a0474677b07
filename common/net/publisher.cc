#include "common/net/publisher.h"

#include "common/net/outgoing.h"
#include "common/net/peer_watch.h"
#include "common/net/socket.h"

namespace hawser {

namespace {

// What a subscriber may send is a subscription: a few bytes.
constexpr std::int64_t kMaxSubscriptionBytes = 1024;

}  // namespace

struct Publisher::State {
  zmq::socket_t socket;
  std::string endpoint;
  std::unique_ptr<PeerWatch> watch = {};
};

Publisher::Publisher(std::unique_ptr<State> state) : state_(std::move(state)) {}
Publisher::~Publisher() = default;

const std::string& Publisher::endpoint() const { return state_->endpoint; }

Result<std::unique_ptr<Publisher>> Publisher::Bind(NetContext& context, const std::string& endpoint,
                                                   int queue) {
  try {
    auto state = std::make_unique<State>(State{OpenSocket(context, zmq::socket_type::pub, queue), {}});
    state->socket.set(zmq::sockopt::maxmsgsize, kMaxSubscriptionBytes);
    state->watch = std::make_unique<PeerWatch>(context, state->socket, endpoint, kSubscriberLimits);
    HAWSER_ASSIGN(state->endpoint, BindSocket(state->socket, endpoint));
    return std::unique_ptr<Publisher>(new Publisher(std::move(state)));
  } catch (const zmq::error_t& problem) {
    return NetError("cannot open a socket for", endpoint, problem);
  }
}

Status Publisher::Publish(MessageType type, std::span<const Bytes> parts, std::shared_ptr<const void> owner) {
  const Buffer envelope = EncodeEnvelope(type);
  std::vector<zmq::message_t> messages = ShareParts(parts, std::move(owner));
  try {
    auto flags = messages.empty() ? zmq::send_flags::none : zmq::send_flags::sndmore;
    static_cast<void>(state_->socket.send(zmq::message_t(envelope.data(), envelope.size()), flags));
    for (std::size_t i = 0; i < messages.size(); ++i) {
      flags = i + 1 < messages.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
      static_cast<void>(state_->socket.send(messages[i], flags));
    }
  } catch (const zmq::error_t& problem) {
    return NetError("cannot publish on", state_->endpoint, problem);
  }
  return {};
}

}  // namespace hawser
