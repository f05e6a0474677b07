// A peer that speaks ZMTP 3 by hand: it can send what no ZeroMQ socket would.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/unique_fd.h"

namespace hawser::test {

class RawPeer {
 public:
  // Connects to `port` of this machine and says that it is a `type`: "DEALER", "SUB".
  RawPeer(std::uint16_t port, std::string_view type) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    std::string greeting("\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL", 16);
    greeting.resize(64);
    std::string ready = "\x05READY\x0bSocket-Type";
    ready += std::string("\0\0\0", 3) + static_cast<char>(type.size()) + std::string(type);
    Send(greeting + '\x04' + static_cast<char>(ready.size()) + ready);
  }

  // One part; `more`: the message goes on.
  static std::string Part(std::string_view content, bool more) {
    std::string part;
    if (content.size() <= 255) {
      part = {static_cast<char>(more ? 1 : 0), static_cast<char>(content.size())};
    } else {
      part = {static_cast<char>(more ? 3 : 2)};
      for (int shift = 56; shift >= 0; shift -= 8) part += static_cast<char>(content.size() >> shift);
    }
    return part.append(content);
  }

  // False: the other side has closed the connection.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // Sends it again and again, up to `most` bytes; how many were taken before the connection was closed.
  std::uint64_t SendUntilClosed(std::string_view bytes, std::uint64_t most) {
    std::uint64_t sent = 0;
    while (sent < most && Send(bytes)) sent += bytes.size();
    return sent;
  }

  // Whether the other side has closed the connection; takes what it has sent.
  bool Closed() {
    char taken[4096];
    ssize_t size = 0;
    do {
      size = ::recv(fd_.get(), taken, sizeof taken, MSG_DONTWAIT);
    } while (size > 0);
    return !connected_ || size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

 private:
  UniqueFd fd_;
  bool connected_ = false;
};

}  // namespace hawser::test
