// A TCP link in front of a relay's stream port that loses what is published: whole messages, as PUB sockets
// do. It reads along the ZeroMQ protocol (ZMTP 3, https://rfc.zeromq.org/spec/23) to know where messages end.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace hawser::test {

enum class Loss {
  kNone,
  kSomeFrames,  // two of three write groups; announcements of the head pass
  kAllFrames,
  kEverything,
};

// Thread safe.
class StreamFilter {
 public:
  // Forwards connections to `target`, a port of the loopback address.
  static Result<std::unique_ptr<StreamFilter>> Open(std::uint16_t target);
  StreamFilter(const StreamFilter&) = delete;
  StreamFilter& operator=(const StreamFilter&) = delete;
  ~StreamFilter();

  std::uint16_t port() const { return port_; }
  void Set(Loss loss) { loss_ = loss; }
  // Ends the connections; new ones may be made.
  void Cut();

  std::uint64_t lost() const { return lost_; }      // messages
  std::uint64_t passed() const { return passed_; }  // write groups

 private:
  struct Connection {
    UniqueFd client;
    UniqueFd server;
    std::atomic<int> running = 2;
    std::thread requests;
    std::thread replies;
  };

  StreamFilter(UniqueFd listener, std::uint16_t port, std::uint16_t target);

  void Accept();
  void ForwardRequests(Connection& connection);
  void ForwardReplies(Connection& connection);
  bool MayPass(std::uint8_t type);
  void Reap(bool all);

  const UniqueFd listener_;
  const std::uint16_t port_;
  const std::uint16_t target_;
  std::atomic<Loss> loss_ = Loss::kNone;
  std::atomic<std::uint64_t> frames_ = 0;
  std::atomic<std::uint64_t> lost_ = 0;
  std::atomic<std::uint64_t> passed_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;  // of the connections
  std::list<Connection> connections_;
  std::thread acceptor_;
};

}  // namespace hawser::test
