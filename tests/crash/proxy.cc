#include "tests/crash/proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "common/base/unique_fd.h"

namespace hawser::test {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;
constexpr int kBacklog = 1024;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

UniqueFd OpenSocket() { return UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

// Closing then sends RST.
void SetReset(int fd) {
  const linger hard{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

// Not now, or not connected yet.
bool MayPass(int error) { return error == EAGAIN || error == ENOTCONN; }

// One direction of a connection.
struct Pipe {
  std::vector<char> buffer = std::vector<char>(kBufferBytes);
  std::size_t begin = 0;
  std::size_t end = 0;
  bool ended = false;   // nothing more comes
  bool passed = false;  // and the end was passed on

  bool wants_input() const { return !ended && begin == end; }
  bool has_output() const { return begin < end || (ended && !passed); }

  // false: the connection is broken.
  bool Move(int from, int to) {
    if (wants_input()) {
      const ssize_t got = recv(from, buffer.data(), buffer.size(), 0);
      if (got < 0) return MayPass(errno);
      begin = 0;
      end = static_cast<std::size_t>(got);
      ended = got == 0;
    }
    while (begin < end) {
      const ssize_t put = send(to, buffer.data() + begin, end - begin, MSG_NOSIGNAL);
      if (put < 0) return MayPass(errno);
      begin += static_cast<std::size_t>(put);
    }
    if (ended && !passed) {
      passed = true;
      shutdown(to, SHUT_WR);
    }
    return true;
  }
};

struct Connection {
  UniqueFd client;
  UniqueFd server;
  Pipe requests;
  Pipe replies;

  bool ended() const { return requests.passed && replies.passed; }
  void Reset() {
    SetReset(client.get());
    SetReset(server.get());
  }
};

struct Link {
  UniqueFd listener;
  std::uint16_t port = 0;
  std::uint16_t target = 0;
  Flow flow = Flow::kOpen;
  std::list<Connection> connections;

  bool passes_requests() const { return flow == Flow::kOpen || flow == Flow::kHoldReplies; }
  bool passes_replies() const { return flow == Flow::kOpen || flow == Flow::kHoldRequests; }

  void ResetAll() {
    for (Connection& connection : connections) connection.Reset();
    connections.clear();
  }

  void Accept() {
    UniqueFd client(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) return;
    if (flow == Flow::kCut) return SetReset(client.get());
    UniqueFd server = OpenSocket();
    const sockaddr_in address = Loopback(target);
    if (connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
        errno != EINPROGRESS)
      return SetReset(client.get());
    connections.push_back({std::move(client), std::move(server), {}, {}});
  }

  // What to wait for at each end. A descriptor that waits for nothing is left out: its hang-up isn't seen
  // either.
  std::array<pollfd, 2> Interests(const Connection& c) const {
    const auto events = [](bool in, bool out) {
      return static_cast<short>((in ? POLLIN : 0) | (out ? POLLOUT : 0));
    };
    const short at_client =
        events(passes_requests() && c.requests.wants_input(), passes_replies() && c.replies.has_output());
    const short at_server =
        events(passes_replies() && c.replies.wants_input(), passes_requests() && c.requests.has_output());
    return {pollfd{at_client != 0 ? c.client.get() : -1, at_client, 0},
            pollfd{at_server != 0 ? c.server.get() : -1, at_server, 0}};
  }

  // false: it is broken.
  bool Serve(Connection& c, short at_client, short at_server) const {
    constexpr short kBroken = POLLERR | POLLNVAL;
    if (((at_client | at_server) & kBroken) != 0) return false;
    if (passes_requests() && (at_client != 0 || at_server != 0) &&
        !c.requests.Move(c.client.get(), c.server.get()))
      return false;
    if (passes_replies() && (at_client != 0 || at_server != 0) &&
        !c.replies.Move(c.server.get(), c.client.get()))
      return false;
    return true;
  }
};

}  // namespace

struct Proxy::State {
  std::mutex mutex;  // guards all but the thread
  std::list<Link> links;
  bool stop = false;
  std::uint64_t version = 0;  // grows with each change of links from outside
  UniqueFd wake{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::thread thread;

  Link& at(LinkId id) { return *std::next(links.begin(), static_cast<std::ptrdiff_t>(id)); }

  void Changed() {
    ++version;
    eventfd_write(wake.get(), 1);
  }

  std::vector<pollfd> Interests() {
    std::vector<pollfd> all{{wake.get(), POLLIN, 0}};
    for (const Link& link : links) {
      all.push_back({link.flow == Flow::kHoldAll ? -1 : link.listener.get(), POLLIN, 0});
      for (const Connection& connection : link.connections)
        for (const pollfd& one : link.Interests(connection)) all.push_back(one);
    }
    return all;
  }

  // `all` is as Interests() made it for the links as they are now.
  void Serve(const std::vector<pollfd>& all) {
    std::size_t next = 1;
    for (Link& link : links) {
      const bool arrives = all[next++].revents != 0;
      for (auto connection = link.connections.begin(); connection != link.connections.end();) {
        const short at_client = all[next++].revents;
        const short at_server = all[next++].revents;
        const bool works = link.Serve(*connection, at_client, at_server);
        if (!works) connection->Reset();
        connection =
            works && !connection->ended() ? std::next(connection) : link.connections.erase(connection);
      }
      if (arrives) link.Accept();
    }
  }

  void Run() {
    std::vector<pollfd> all;
    std::unique_lock lock(mutex);
    while (!stop) {
      all = Interests();
      const std::uint64_t asked = version;
      lock.unlock();
      poll(all.data(), all.size(), -1);
      lock.lock();
      eventfd_t count = 0;
      static_cast<void>(eventfd_read(wake.get(), &count));
      if (version == asked) Serve(all);
    }
  }
};

Proxy::Proxy() : state_(std::make_unique<State>()) {
  state_->thread = std::thread([this] { state_->Run(); });
}

Proxy::~Proxy() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
    state_->Changed();
  }
  state_->thread.join();
}

Result<LinkId> Proxy::Add(std::uint16_t target) {
  Link link;
  link.listener = OpenSocket();
  link.target = target;
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (bind(link.listener.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      listen(link.listener.get(), kBacklog) != 0 ||
      getsockname(link.listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return ErrnoError("cannot listen for a link");
  link.port = ntohs(address.sin_port);
  const std::lock_guard lock(state_->mutex);
  state_->links.push_back(std::move(link));
  state_->Changed();
  return state_->links.size() - 1;
}

std::uint16_t Proxy::port(LinkId link) const {
  const std::lock_guard lock(state_->mutex);
  return state_->at(link).port;
}

void Proxy::Set(LinkId link, Flow flow) {
  const std::lock_guard lock(state_->mutex);
  state_->at(link).flow = flow;
  if (flow == Flow::kCut) state_->at(link).ResetAll();
  state_->Changed();
}

void Proxy::Reset(LinkId link) {
  const std::lock_guard lock(state_->mutex);
  state_->at(link).ResetAll();
  state_->Changed();
}

}  // namespace hawser::test
