#include "common/net/socket.h"

#include <algorithm>

namespace hawser {

namespace {

// A peer whose machine has gone is noticed after about 10 s.
constexpr int kKeepaliveIdleSeconds = 4;
constexpr int kKeepaliveIntervalSeconds = 2;
constexpr int kKeepaliveCount = 3;
constexpr int kHandshakeMs = 10'000;
constexpr int kReconnectMs = 20;
constexpr int kReconnectMaxMs = 500;
constexpr int kMostSockets = 4096;

}  // namespace

NetContext::NetContext() : context_(std::make_unique<zmq::context_t>()) {
  // A primary has a socket for each call that waits for the relay.
  context_->set(zmq::ctxopt::max_sockets, kMostSockets);
}
NetContext::~NetContext() = default;

zmq::socket_t OpenSocket(NetContext& context, zmq::socket_type type, int queue) {
  zmq::socket_t socket(context.zmq(), type);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::sndhwm, queue);
  socket.set(zmq::sockopt::rcvhwm, queue);
  socket.set(zmq::sockopt::maxmsgsize, kMaxPartBytes);
  // A connection that doesn't say what it is isn't kept.
  socket.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
  // Not ZeroMQ's heartbeats: libzmq 4.3 aborts the process when one runs out on a connection whose input
  // waits for room in the queue (its issue 3937). A requester resends over a new connection, a subscriber
  // opens a new one when nothing comes: that finds a dead peer, and TCP's keepalive clears up after it.
  socket.set(zmq::sockopt::tcp_keepalive, 1);
  socket.set(zmq::sockopt::tcp_keepalive_idle, kKeepaliveIdleSeconds);
  socket.set(zmq::sockopt::tcp_keepalive_intvl, kKeepaliveIntervalSeconds);
  socket.set(zmq::sockopt::tcp_keepalive_cnt, kKeepaliveCount);
  socket.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
  socket.set(zmq::sockopt::reconnect_ivl_max, kReconnectMaxMs);
  return socket;
}

Result<std::string> BindSocket(zmq::socket_t& socket, const std::string& endpoint) {
  try {
    socket.bind(endpoint);
    return socket.get(zmq::sockopt::last_endpoint);
  } catch (const zmq::error_t& problem) {
    return NetError("cannot listen on", endpoint, problem);
  }
}

std::optional<std::vector<zmq::message_t>> ReceiveParts(zmq::socket_t& socket, zmq::recv_flags flags) {
  std::vector<zmq::message_t> parts(1);
  try {
    if (!socket.recv(parts.front(), flags)) return std::nullopt;
  } catch (const zmq::error_t& problem) {
    if (problem.num() == EINTR) return std::nullopt;
    throw;
  }
  // The parts of a message arrive together: those after the first are there.
  while (parts.back().more()) {
    parts.emplace_back();
    static_cast<void>(socket.recv(parts.back(), zmq::recv_flags::none));
  }
  return parts;
}

int ToTimeout(std::chrono::steady_clock::duration wait) {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
  return static_cast<int>(std::clamp<decltype(milliseconds)>(milliseconds, 0, 3'600'000));
}

Error NetError(const std::string& what, const std::string& endpoint, const zmq::error_t& problem) {
  return Error{problem.num(), what + " " + endpoint};
}

}  // namespace hawser
