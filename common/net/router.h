// The answering end of REQ sockets (ROUTER): takes requests as they come, answers each when it is ready, in
// any order.
//
// One thread. Nothing that a peer sends, and no peer that goes away, makes it fail or block.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/net/context.h"
#include "common/net/limits.h"
#include "common/net/messages.h"
#include "common/net/requester.h"

namespace hawser {

// Where an answer goes: back on the way on which the request came.
struct Asker {
  std::string identity;
  bool delimited = true;  // an empty part stands before the envelope, as REQ sockets send it
  std::string id = {};    // of the request, before the empty part; empty: it has none
};

// A request, or why it could not be read: EINVAL (garbage), EPROTONOSUPPORT (another wire version).
struct Arrival {
  Asker from;
  Result<Incoming> message;
};

// Whom answers are given to. A relay's decisions know no sockets (relay/writer.h): a simulation has another
// one.
class Answerer {
 public:
  virtual ~Answerer() = default;

  // Sends [envelope(type)][parts...]. An answer to somebody who has gone is dropped.
  virtual void Reply(const Asker& to, MessageType type, std::vector<Buffer> parts) = 0;
  void ReplyOne(const Asker& to, MessageType type, Buffer part) {
    std::vector<Buffer> parts;
    parts.push_back(std::move(part));
    Reply(to, type, std::move(parts));
  }
};

class Router : public Answerer {
 public:
  // How many answers wait for a peer that doesn't take them; what is more is dropped. Few, where they are
  // large and a peer has one request under way: each connection may cost so many. Many, where answers are
  // small and a peer has several requests under way: libzmq is slow to count an answer as taken.
  enum class Queue { kFewLarge = 2, kManySmall = 1000 };

  // Listens on `endpoint`, like tcp://127.0.0.1:7401; port 0 gets a free one. EADDRINUSE names it. A peer
  // that goes over the limits loses its connection.
  static Result<std::unique_ptr<Router>> Bind(NetContext& context, const std::string& endpoint,
                                              Queue answers = Queue::kManySmall,
                                              const PeerLimits& limits = {});
  ~Router() override;
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // With the real port.
  const std::string& endpoint() const;

  // The next request, waiting up to `wait` for it; nullopt if none came.
  Result<std::optional<Arrival>> Receive(std::chrono::milliseconds wait);

  // Waits until a request is there, `wake_fd` becomes readable, or `deadline`.
  Status Wait(Deadline deadline, int wake_fd);

  void Reply(const Asker& to, MessageType type, std::vector<Buffer> parts) override;

 private:
  struct State;
  explicit Router(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hawser
