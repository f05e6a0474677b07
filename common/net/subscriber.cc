#include "common/net/subscriber.h"

#include "common/net/incoming.h"
#include "common/net/socket.h"

namespace hawser {

struct Subscriber::State {
  std::string endpoint;
  std::optional<zmq::socket_t> socket;
  std::optional<Error> failure;  // why there is no socket
  std::uint64_t malformed = 0;
};

Subscriber::Subscriber(NetContext& context, std::string endpoint, int queue)
    : state_(std::make_unique<State>()) {
  state_->endpoint = std::move(endpoint);
  try {
    zmq::socket_t socket = OpenSocket(context, zmq::socket_type::sub, queue);
    socket.set(zmq::sockopt::subscribe, "");
    socket.connect(state_->endpoint);
    state_->socket = std::move(socket);
  } catch (const zmq::error_t& problem) {
    state_->failure = NetError("cannot subscribe to", state_->endpoint, problem);
  }
}

Subscriber::~Subscriber() = default;

std::uint64_t Subscriber::malformed() const { return state_->malformed; }

Result<std::optional<Incoming>> Subscriber::Receive(Deadline deadline) {
  if (state_->failure) return *state_->failure;
  try {
    for (;;) {
      const auto left = deadline - SteadyClock::now();
      state_->socket->set(zmq::sockopt::rcvtimeo, ToTimeout(left));
      if (auto parts = ReceiveParts(*state_->socket, zmq::recv_flags::none)) {
        if (auto incoming = ToIncoming(*std::move(parts))) return std::optional(*std::move(incoming));
        ++state_->malformed;
      } else if (SteadyClock::now() >= deadline) {
        return std::optional<Incoming>();
      }
    }
  } catch (const zmq::error_t& problem) {
    return NetError("cannot receive from", state_->endpoint, problem);
  }
}

}  // namespace hawser
