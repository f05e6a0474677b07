#include "common/net/router.h"

#include "common/net/incoming.h"
#include "common/net/outgoing.h"
#include "common/net/peer_watch.h"
#include "common/net/socket.h"

namespace hawser {

namespace {

Arrival ToArrival(std::vector<zmq::message_t> parts) {
  Asker from{std::string(AsText(ToBytes(parts.front()))), false};
  parts.erase(parts.begin());
  if (parts.size() > 1 && !parts[0].empty() && parts[1].empty()) {
    from.id = AsText(ToBytes(parts.front()));
    parts.erase(parts.begin());
  }
  if (!parts.empty() && parts.front().empty()) {
    from.delimited = true;
    parts.erase(parts.begin());
  }
  return {std::move(from), ToIncoming(std::move(parts))};
}

}  // namespace

struct Router::State {
  zmq::socket_t socket;
  std::string endpoint;
  int timeout = -1;  // the socket's receive timeout at present
  std::unique_ptr<PeerWatch> watch = {};
};

Router::Router(std::unique_ptr<State> state) : state_(std::move(state)) {}
Router::~Router() = default;

const std::string& Router::endpoint() const { return state_->endpoint; }

Result<std::unique_ptr<Router>> Router::Bind(NetContext& context, const std::string& endpoint, Queue answers,
                                             const PeerLimits& limits) {
  try {
    auto state =
        std::make_unique<State>(State{OpenSocket(context, zmq::socket_type::router, kRequestQueue), {}});
    state->socket.set(zmq::sockopt::sndhwm, static_cast<int>(answers));
    state->socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(limits.message_bytes));
    state->watch = std::make_unique<PeerWatch>(context, state->socket, endpoint, limits);
    HAWSER_ASSIGN(state->endpoint, BindSocket(state->socket, endpoint));
    return std::unique_ptr<Router>(new Router(std::move(state)));
  } catch (const zmq::error_t& problem) {
    return NetError("cannot open a socket for", endpoint, problem);
  }
}

Result<std::optional<Arrival>> Router::Receive(std::chrono::milliseconds wait) {
  try {
    const int timeout = ToTimeout(wait);
    if (timeout != 0 && timeout != state_->timeout) {
      state_->socket.set(zmq::sockopt::rcvtimeo, timeout);
      state_->timeout = timeout;
    }
    const auto flags = timeout == 0 ? zmq::recv_flags::dontwait : zmq::recv_flags::none;
    auto parts = ReceiveParts(state_->socket, flags);
    if (!parts) {
      state_->watch->FoundNone();
      return std::optional<Arrival>();
    }
    state_->watch->Received(*parts, 1);
    return std::optional(ToArrival(*std::move(parts)));
  } catch (const zmq::error_t& problem) {
    return NetError("cannot receive on", state_->endpoint, problem);
  }
}

Status Router::Wait(Deadline deadline, int wake_fd) {
  zmq::pollitem_t items[] = {{state_->socket.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, wake_fd, ZMQ_POLLIN, 0}};
  try {
    zmq::poll(items, 2, std::chrono::milliseconds(ToTimeout(deadline - SteadyClock::now())));
  } catch (const zmq::error_t& problem) {
    if (problem.num() != EINTR) return NetError("cannot wait on", state_->endpoint, problem);
  }
  return {};
}

void Router::Reply(const Asker& to, MessageType type, std::vector<Buffer> parts) {
  const Buffer envelope = EncodeEnvelope(type);
  std::vector<zmq::message_t> messages;
  messages.reserve(parts.size() + 4);
  messages.emplace_back(to.identity.data(), to.identity.size());
  if (!to.id.empty()) messages.emplace_back(to.id.data(), to.id.size());
  if (to.delimited) messages.emplace_back();
  messages.emplace_back(envelope.data(), envelope.size());
  for (Buffer& part : parts) messages.push_back(AdoptPart(std::move(part)));
  try {
    for (std::size_t i = 0; i < messages.size(); ++i) {
      auto flags = zmq::send_flags::dontwait;
      if (i + 1 < messages.size()) flags = flags | zmq::send_flags::sndmore;
      if (!state_->socket.send(messages[i], flags)) return;
    }
  } catch (const zmq::error_t&) {
    // The peer has gone or takes no answers: it will ask again if it still wants to know.
  }
}

}  // namespace hawser
