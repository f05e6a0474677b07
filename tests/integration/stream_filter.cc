#include "tests/integration/stream_filter.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "common/net/messages.h"

namespace hawser::test {
namespace {

constexpr int kLookMilliseconds = 20;
constexpr std::size_t kGreetingBytes = 64;
constexpr std::uint8_t kMore = 1;
constexpr std::uint8_t kLong = 2;
constexpr std::uint8_t kCommand = 4;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

UniqueFd Connect(std::uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(port);
  if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return UniqueFd();
  return fd;
}

bool SendAll(int fd, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t put = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (put <= 0) return false;
    sent += static_cast<std::size_t>(put);
  }
  return true;
}

// Appends `size` bytes to `bytes`; false when the connection has ended.
bool ReceiveMore(int fd, std::size_t size, std::string& bytes) {
  const std::size_t begin = bytes.size();
  bytes.resize(begin + size);
  return recv(fd, bytes.data() + begin, size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

// Byte by byte as it comes: each side waits for a part of the other's before it goes on.
bool ForwardGreeting(int from, int to) {
  std::array<char, kGreetingBytes> bytes{};
  for (std::size_t left = kGreetingBytes; left > 0;) {
    const ssize_t got = recv(from, bytes.data(), left, 0);
    if (got <= 0 || !SendAll(to, std::string(bytes.data(), static_cast<std::size_t>(got)))) return false;
    left -= static_cast<std::size_t>(got);
  }
  return true;
}

struct ZmtpFrame {
  std::uint8_t flags = 0;
  std::string wire;  // with flags and size
  std::size_t body = 0;
};

bool ReceiveFrame(int fd, ZmtpFrame& frame) {
  frame = {};
  if (!ReceiveMore(fd, 1, frame.wire)) return false;
  frame.flags = static_cast<std::uint8_t>(frame.wire[0]);
  const std::size_t digits = (frame.flags & kLong) != 0 ? 8 : 1;
  if (!ReceiveMore(fd, digits, frame.wire)) return false;
  frame.body = frame.wire.size();
  std::uint64_t size = 0;
  for (std::size_t i = 1; i <= digits; ++i) size = size << 8 | static_cast<std::uint8_t>(frame.wire[i]);
  return size == 0 || ReceiveMore(fd, size, frame.wire);
}

}  // namespace

Result<std::unique_ptr<StreamFilter>> StreamFilter::Open(std::uint16_t target) {
  UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  if (!listener || bind(listener.get(), raw, sizeof address) != 0 || listen(listener.get(), 16) != 0 ||
      getsockname(listener.get(), raw, &length) != 0)
    return ErrnoError("cannot listen");
  return std::unique_ptr<StreamFilter>(
      new StreamFilter(std::move(listener), ntohs(address.sin_port), target));
}

StreamFilter::StreamFilter(UniqueFd listener, std::uint16_t port, std::uint16_t target)
    : listener_(std::move(listener)), port_(port), target_(target), acceptor_(&StreamFilter::Accept, this) {}

StreamFilter::~StreamFilter() {
  stop_ = true;
  acceptor_.join();
  Cut();
  Reap(/*all=*/true);
}

void StreamFilter::Cut() {
  const std::lock_guard lock(mutex_);
  for (Connection& connection : connections_) {
    shutdown(connection.client.get(), SHUT_RDWR);
    shutdown(connection.server.get(), SHUT_RDWR);
  }
}

void StreamFilter::Reap(bool all) {
  const std::lock_guard lock(mutex_);
  for (auto it = connections_.begin(); it != connections_.end();) {
    if (!all && it->running > 0) {
      ++it;
      continue;
    }
    it->requests.join();
    it->replies.join();
    it = connections_.erase(it);
  }
}

void StreamFilter::Accept() {
  while (!stop_) {
    Reap(/*all=*/false);
    pollfd wait{listener_.get(), POLLIN, 0};
    if (poll(&wait, 1, kLookMilliseconds) <= 0) continue;
    UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    UniqueFd server = Connect(target_);
    if (!client || !server) continue;
    const std::lock_guard lock(mutex_);
    Connection& connection = connections_.emplace_back();
    connection.client = std::move(client);
    connection.server = std::move(server);
    connection.requests = std::thread([this, &connection] { ForwardRequests(connection); });
    connection.replies = std::thread([this, &connection] { ForwardReplies(connection); });
  }
}

void StreamFilter::ForwardRequests(Connection& connection) {
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = recv(connection.client.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    if (!SendAll(connection.server.get(), std::string(buffer.data(), static_cast<std::size_t>(got)))) break;
  }
  shutdown(connection.server.get(), SHUT_RDWR);
  --connection.running;
}

void StreamFilter::ForwardReplies(Connection& connection) {
  const int from = connection.server.get();
  const int to = connection.client.get();
  bool passes = ForwardGreeting(from, to);
  bool begins = true;  // a message
  bool wanted = true;
  ZmtpFrame frame;
  while (passes && ReceiveFrame(from, frame)) {
    const bool is_command = (frame.flags & kCommand) != 0;
    if (!is_command && begins) {
      const auto type = DecodeEnvelope(AsBytes(std::string_view(frame.wire).substr(frame.body)));
      wanted = MayPass(type ? static_cast<std::uint8_t>(*type) : 0);
    }
    if (!is_command) begins = (frame.flags & kMore) == 0;
    if (is_command || wanted) passes = SendAll(to, frame.wire);
  }
  shutdown(to, SHUT_RDWR);
  --connection.running;
}

bool StreamFilter::MayPass(std::uint8_t type) {
  const bool is_frame = type == static_cast<std::uint8_t>(MessageType::kFrame);
  bool passes = true;
  switch (loss_.load()) {
    case Loss::kNone:
      break;
    case Loss::kSomeFrames:
      passes = !is_frame || ++frames_ % 3 == 0;
      break;
    case Loss::kAllFrames:
      passes = !is_frame;
      break;
    case Loss::kEverything:
      passes = false;
      break;
  }
  if (!passes) ++lost_;
  if (passes && is_frame) ++passed_;
  return passes;
}

}  // namespace hawser::test
