// A node's requests to the relay: each is sent again when no answer comes, and only the answer to the last
// attempt counts. Mirrors common/net/requester.cc.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "common/net/requester.h"
#include "tests/sim/network.h"

namespace hawser::sim {

class Requests {
 public:
  Requests(World& world, Network& network, NodeName node, LifePtr life)
      : world_(world), network_(network), node_(std::move(node)), life_(std::move(life)) {}

  // What is sent and, with nullopt when nobody is to wait any longer, what came.
  using Answered = std::function<void(std::optional<Incoming>)>;
  // A request's parts may change from one attempt to the next only in a faulty node.
  using Parts = std::function<std::vector<Buffer>(int attempt)>;
  struct Request {
    Port port = Port::kControl;
    MessageType type = MessageType::kPull;
    Parts parts;
    Answered answered;
    std::uint64_t call = 0;
    std::optional<Duration> patience;  // none: for ever
  };
  void Send(Request request);

  void TakeAnswer(std::uint64_t token, MessageType type, const std::vector<Buffer>& parts);

 private:
  struct Open {
    Request request;
    int attempts = 0;
    std::optional<Duration> until;
  };
  void Attempt(Open open);

  World& world_;
  Network& network_;
  const NodeName node_;
  const LifePtr life_;
  std::map<std::uint64_t, Open> open_;  // by the token of the last attempt
};

}  // namespace hawser::sim
