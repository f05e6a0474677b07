#include "common/net/subscriber.h"

#include <algorithm>

#include "common/net/incoming.h"
#include "common/net/socket.h"

namespace hawser {

struct Subscriber::State {
  State(NetContext& net, std::string from, int length)
      : context(net), endpoint(std::move(from)), queue(length) {}

  NetContext& context;
  const std::string endpoint;
  const int queue;
  std::chrono::milliseconds silence = std::chrono::seconds(5);
  std::optional<zmq::socket_t> socket;
  Deadline heard;  // the last message, or the connection's beginning
  std::uint64_t malformed = 0;

  void Open();
};

void Subscriber::State::Open() {
  socket.reset();
  zmq::socket_t opened = OpenSocket(context, zmq::socket_type::sub, queue);
  opened.set(zmq::sockopt::subscribe, "");
  opened.connect(endpoint);
  socket = std::move(opened);
  heard = SteadyClock::now();
}

Subscriber::Subscriber(NetContext& context, std::string endpoint, int queue)
    : state_(std::make_unique<State>(context, std::move(endpoint), queue)) {
  try {
    state_->Open();
  } catch (const zmq::error_t&) {
    // Receive() tries again, and tells.
  }
}

Subscriber::~Subscriber() = default;

std::uint64_t Subscriber::malformed() const { return state_->malformed; }

void Subscriber::set_silence(std::chrono::milliseconds time) { state_->silence = time; }

Result<std::optional<Incoming>> Subscriber::Receive(Deadline deadline) {
  try {
    for (;;) {
      if (!state_->socket) state_->Open();
      const Deadline until = std::min(deadline, state_->heard + state_->silence);
      state_->socket->set(zmq::sockopt::rcvtimeo, ToTimeout(until - SteadyClock::now()));
      auto parts = ReceiveParts(*state_->socket, zmq::recv_flags::none);
      const Deadline now = SteadyClock::now();
      if (parts) {
        state_->heard = now;
        if (auto incoming = ToIncoming(*std::move(parts))) return std::optional(*std::move(incoming));
        ++state_->malformed;
      } else {
        if (now >= state_->heard + state_->silence) state_->Open();
        if (now >= deadline) return std::optional<Incoming>();
      }
    }
  } catch (const zmq::error_t& problem) {
    return NetError("cannot receive from", state_->endpoint, problem);
  }
}

}  // namespace hawser
