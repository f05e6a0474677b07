// What all sockets of Hawser have in common; for common/net's own files.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/net/context.h"

namespace hawser {

// A peer that sends a larger part loses its connection. No message of Hawser comes near it: a record is at
// most 1 MiB + 64 KiB, a write group 8 MiB (relay/limits.h).
inline constexpr std::int64_t kMaxPartBytes = 16 * static_cast<std::int64_t>(kMiB);

// Requests of one peer, or answers to it, that wait in a socket: more than a requester has under way, so only
// a peer that misbehaves gets to it.
inline constexpr int kRequestQueue = 16;

// Parts up to here are copied when sent: that costs less than being told when libzmq has released them.
inline constexpr std::size_t kCopiedPartBytes = 1024;

inline Bytes ToBytes(const zmq::message_t& message) {
  return std::as_bytes(std::span(message.data<char>(), message.size()));
}

// A socket with the common options: no lingering at close, keepalive, quick reconnects, the size limit;
// `queue` messages at most wait in each direction for each peer. Throws zmq::error_t.
zmq::socket_t OpenSocket(NetContext& context, zmq::socket_type type, int queue);

// Binds and gives the real endpoint ("tcp://127.0.0.1:0" gets a free port). EADDRINUSE and others, naming it.
Result<std::string> BindSocket(zmq::socket_t& socket, const std::string& endpoint);

// A whole message, waiting as the socket's receive timeout says (or not at all); nullopt if there is none,
// also when a signal came in between. Throws zmq::error_t.
std::optional<std::vector<zmq::message_t>> ReceiveParts(zmq::socket_t& socket, zmq::recv_flags flags);

// `wait` in milliseconds for a socket option: at least 0.
int ToTimeout(std::chrono::steady_clock::duration wait);

Error NetError(const std::string& what, const std::string& endpoint, const zmq::error_t& problem);

}  // namespace hawser
