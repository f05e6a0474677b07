#include "common/net/peer_watch.h"

#include <fmt/format.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "common/base/descriptors.h"
#include "common/base/log.h"
#include "common/net/socket.h"

namespace hawser {

namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(20);
constexpr std::size_t kPeersALook = 64;  // with more peers a round takes longer
constexpr auto kComplainEvery = std::chrono::seconds(1);
constexpr int kEvents = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED;
// The ports of a relay share the process's descriptors.
constexpr std::uint64_t kPorts = 3;

// What a part takes on the wire (ZMTP 3, in the clear).
std::uint64_t WireBytes(std::size_t part) { return part + (part > 255 ? 9 : 2); }

// Bytes that were taken from a connection; nullopt if it is none (any more).
std::optional<std::uint64_t> TakenFrom(int connection) {
  tcp_info info{};
  socklen_t size = sizeof info;
  int waiting = 0;
  if (::ioctl(connection, FIONREAD, &waiting) != 0) return std::nullopt;
  if (::getsockopt(connection, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  const auto left = static_cast<std::uint64_t>(std::max(waiting, 0));
  return info.tcpi_bytes_received - std::min<std::uint64_t>(left, info.tcpi_bytes_received);
}

}  // namespace

PeerWatch::PeerWatch(NetContext& context, zmq::socket_t& socket, std::string port, PeerLimits limits)
    : socket_(socket),
      port_(std::move(port)),
      limits_(limits),
      most_connections_(
          std::min<std::uint64_t>(limits.connections, DescriptorMark(HeldFor::kProgram) / kPorts)),
      events_(context.zmq(), zmq::socket_type::pair) {
  const std::string address = fmt::format("inproc://watch-{}", fmt::ptr(this));
  // The thread that serves the network waits for room here, so there always is some.
  events_.set(zmq::sockopt::rcvhwm, 0);
  events_.set(zmq::sockopt::linger, 0);
  if (zmq_socket_monitor(socket_.handle(), address.c_str(), kEvents) != 0) throw zmq::error_t();
  events_.connect(address);
  thread_ = std::thread([this] { Run(); });
}

// The events end before there is nobody to take them.
PeerWatch::~PeerWatch() {
  zmq_socket_monitor(socket_.handle(), nullptr, 0);
  stop_.store(true);
  wake_.Notify();
  thread_.join();
}

void PeerWatch::Received(const std::vector<zmq::message_t>& parts, std::size_t first) {
  if (first >= parts.size()) return;
  std::uint64_t bytes = 0;
  for (std::size_t i = first; i < parts.size(); ++i) bytes += WireBytes(parts[i].size());
  const int connection = zmq_msg_get(const_cast<zmq::message_t&>(parts[first]).handle(), ZMQ_SRCFD);
  const MutexLock lock(mutex_);
  received_[connection] += bytes;
}

void PeerWatch::Run() {
  Deadline next = SteadyClock::now();
  while (!stop_.load()) {
    const auto wait = peers_.empty() ? std::chrono::milliseconds(-1)
                                     : std::chrono::milliseconds(ToTimeout(next - SteadyClock::now()));
    zmq::pollitem_t items[] = {{events_.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, wake_.fd(), ZMQ_POLLIN, 0}};
    try {
      zmq::poll(items, 2, wait);
      TakeEvents();
    } catch (const zmq::error_t& problem) {
      if (problem.num() == ETERM) return;
    }
    if (SteadyClock::now() < next) continue;
    Look();
    next = SteadyClock::now() + kLookEvery * (1 + peers_.size() / kPeersALook);
  }
}

void PeerWatch::TakeEvents() {
  while (const auto parts = ReceiveParts(events_, zmq::recv_flags::dontwait)) {
    std::uint16_t event = 0;
    std::int32_t connection = -1;
    if (parts->front().size() < sizeof event + sizeof connection) continue;
    std::memcpy(&event, parts->front().data(), sizeof event);
    std::memcpy(&connection, parts->front().data<char>() + sizeof event, sizeof connection);
    peers_.erase(connection);
    {
      const MutexLock lock(mutex_);
      received_.erase(connection);
    }
    if (event != ZMQ_EVENT_ACCEPTED) continue;
    if (peers_.size() >= most_connections_) MakeRoom();
    peers_[connection].heard = SteadyClock::now();
  }
}

void PeerWatch::Look() {
  for (auto& [connection, peer] : peers_) LookAt(connection, peer);
}

void PeerWatch::LookAt(int connection, Peer& peer) {
  const auto came = TakenFrom(connection);
  if (!came || peer.cut) return;
  if (*came != peer.came) peer.heard = SteadyClock::now();
  peer.came = *came;
  const std::uint64_t received = ReceivedFrom(connection);
  const std::uint64_t unread = *came - std::min(received, *came);
  const auto cut = [&](const std::string& why) {
    peer.cut = true;
    Cut(connection, why);
  };
  if (unread > limits_.unread_bytes) return cut(fmt::format("{} bytes of it are unread", unread));
  if (unread <= limits_.message_bytes || received != peer.received) {
    peer.unfinished = false;
    peer.received = received;
    return;
  }
  // It was there before, and since then the receiver has twice found no whole message: it isn't whole.
  const std::uint64_t none = found_none_.load();
  if (peer.unfinished && none >= peer.none_before + 2)
    return cut(fmt::format("a message of it has {} bytes and no end", unread));
  if (peer.unfinished) return;
  peer.unfinished = true;
  peer.none_before = none;
}

void PeerWatch::MakeRoom() {
  const auto silent = std::min_element(peers_.begin(), peers_.end(), [](const auto& one, const auto& other) {
    return one.second.heard < other.second.heard;
  });
  if (silent == peers_.end()) return;
  Cut(silent->first, fmt::format("there are more than {}, and it was silent the longest", most_connections_));
  peers_.erase(silent);
}

// libzmq notices and closes it; the peer hears of it at once (a reset), even if it only sends. The number may
// just have been given to another connection: that one then connects again.
void PeerWatch::Cut(int connection, const std::string& why) {
  const linger reset{1, 0};
  ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (::shutdown(connection, SHUT_RDWR) != 0) return;
  if (SteadyClock::now() < complained_ + kComplainEvery) return;
  complained_ = SteadyClock::now();
  log::warn("{}: a connection is closed: {}", port_, why);
}

std::uint64_t PeerWatch::ReceivedFrom(int connection) const {
  const MutexLock lock(mutex_);
  const auto found = received_.find(connection);
  return found == received_.end() ? 0 : found->second;
}

}  // namespace hawser
