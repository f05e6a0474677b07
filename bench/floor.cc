#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <vector>

#include "bench/measure.h"
#include "common/base/unique_fd.h"

namespace hawser::bench {
namespace {

constexpr std::size_t kAnswerBytes = 64;

bool SendAll(int socket, const std::vector<char>& content) {
  for (std::size_t at = 0; at < content.size();) {
    const ssize_t sent = ::send(socket, content.data() + at, content.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    at += static_cast<std::size_t>(sent);
  }
  return true;
}

bool ReceiveAll(int socket, std::vector<char>& content) {
  for (std::size_t at = 0; at < content.size();) {
    const ssize_t got = ::recv(socket, content.data() + at, content.size() - at, 0);
    if (got <= 0) return false;
    at += static_cast<std::size_t>(got);
  }
  return true;
}

void WithoutDelay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// A connection over loopback: who connects, and who has accepted.
std::array<UniqueFd, 2> Connection() {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  Require(::bind(listener.get(), generic, length) == 0 && ::listen(listener.get(), 1) == 0 &&
              ::getsockname(listener.get(), generic, &length) == 0,
          "listen on loopback");
  UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Require(::connect(client.get(), generic, length) == 0, "connect over loopback");
  UniqueFd server(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  Require(static_cast<bool>(server), "accept over loopback");
  WithoutDelay(client.get());
  WithoutDelay(server.get());
  return {std::move(client), std::move(server)};
}

}  // namespace

double TcpRoundTrips(std::size_t bytes, std::chrono::milliseconds time) {
  auto [client, server] = Connection();
  std::thread peer([&, fd = server.get()] {
    std::vector<char> request(bytes);
    const std::vector<char> answer(kAnswerBytes);
    while (ReceiveAll(fd, request) && SendAll(fd, answer)) continue;
  });
  const std::vector<char> request(bytes);
  std::vector<char> answer(kAnswerBytes);
  const double rate = Rate(1, time, SIZE_MAX, [&, fd = client.get()](int, std::size_t) {
    Require(SendAll(fd, request) && ReceiveAll(fd, answer), "a round trip over loopback");
  });
  client.Reset();
  peer.join();
  return rate;
}

double Appends(const std::string& folder, std::size_t bytes, std::chrono::milliseconds time) {
  const std::string path = folder + "/appended";
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  Require(static_cast<bool>(file), "open " + path);
  const std::vector<char> content(bytes, 'e');
  const double rate = Rate(1, time, SIZE_MAX, [&](int, std::size_t) {
    Require(::write(file.get(), content.data(), bytes) == static_cast<ssize_t>(bytes) &&
                ::fdatasync(file.get()) == 0,
            "append to " + path);
  });
  ::unlink(path.c_str());
  return rate;
}

}  // namespace hawser::bench
