// Watches the peers of a listening socket, so that none of them costs more than it may, whatever it sends;
// for common/net's own files.
//
// libzmq bounds the size of a part and the number of whole messages that wait, but not the parts of a message
// whose end never comes, nor subscriptions, nor connections. What a peer has sent that nobody has received is
// known all the same: the kernel counts what came over the connection, and whoever receives counts what came
// out. A peer with too much of it loses its connection; so does the one that was silent the longest when
// there are too many. Who still wants something connects again, and sends it again.
//
// A thread of its own, so that it doesn't depend on how long a receiver is busy.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/net/context.h"
#include "common/net/limits.h"
#include "common/net/wake.h"

namespace hawser {

class PeerWatch {
 public:
  // In the thread that has the socket, before it is bound. The socket outlives this. Throws zmq::error_t.
  PeerWatch(NetContext& context, zmq::socket_t& socket, std::string port, PeerLimits limits);
  ~PeerWatch();
  PeerWatch(const PeerWatch&) = delete;
  PeerWatch& operator=(const PeerWatch&) = delete;

  // From the receiver. These parts of a message (without the sender's identity) have come.
  void Received(const std::vector<zmq::message_t>& parts, std::size_t first);
  // There was no whole message.
  void FoundNone() { ++found_none_; }

 private:
  struct Peer {
    bool cut = false;               // libzmq may take its time to notice
    std::uint64_t came = 0;         // bytes that libzmq has taken from the connection
    std::uint64_t received = 0;     // of them, at the last look
    std::uint64_t none_before = 0;  // found_none_ at the first look at which too much of a message was there
    bool unfinished = false;        // that look has been
    Deadline heard;                 // when something came last
  };

  void Run();
  void TakeEvents();
  void Look();
  void LookAt(int connection, Peer& peer);
  void MakeRoom();
  void Cut(int connection, const std::string& why);
  std::uint64_t ReceivedFrom(int connection) const;

  zmq::socket_t& socket_;
  const std::string port_;
  const PeerLimits limits_;
  const std::size_t most_connections_;
  zmq::socket_t events_;
  std::map<int, Peer> peers_;  // by descriptor
  Deadline complained_;

  mutable Mutex mutex_;
  std::map<int, std::uint64_t> received_ HAWSER_GUARDED_BY(mutex_);  // bytes, by descriptor
  std::atomic<std::uint64_t> found_none_{0};
  std::atomic<bool> stop_{false};
  Wake wake_;
  std::thread thread_;
};

}  // namespace hawser
