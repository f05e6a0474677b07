// The network between the nodes and the relay: messages take time, get lost, come twice, overtake each other
// (but not inside one connection), and a node's link can be cut in either direction.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "common/base/ids.h"
#include "common/net/router.h"
#include "tests/sim/world.h"

namespace hawser::sim {

// The consistency group that is simulated.
inline constexpr const char* kGroup = "sim";

enum class Port { kWrite, kControl };

// A request on its way, as bytes: it may be delivered more than once.
struct Letter {
  NodeName from;
  Port port = Port::kWrite;
  std::uint64_t token = 0;  // of this attempt; the answer bears it
  std::uint64_t call = 0;   // for the checker; 0: none
  MessageType type = MessageType::kHello;
  std::vector<Buffer> parts;
};

// The relay's end.
class RelayEnd {
 public:
  virtual ~RelayEnd() = default;
  virtual void Arrive(const Letter& letter) = 0;
};

// A node's end.
class NodeEnd {
 public:
  virtual ~NodeEnd() = default;
  virtual void Answered(std::uint64_t token, MessageType type, const std::vector<Buffer>& parts) = 0;
  virtual void Streamed(MessageType type, const std::vector<Buffer>& parts) = 0;
};

class Network {
 public:
  explicit Network(World& world) : world_(world) {}

  // Whoever listens now; nullptr: nobody.
  void set_relay(RelayEnd* relay) { relay_ = relay, ++relay_number_; }
  void set_node(const NodeName& node, NodeEnd* end) { nodes_[node] = end; }

  // For one attempt of one request: no other ever has it.
  std::uint64_t NewToken() { return next_token_++; }
  void Ask(Letter letter);
  void Answer(const NodeName& node, std::uint64_t token, MessageType type, std::vector<Buffer> parts);
  // To everybody who listens.
  void Publish(MessageType type, const std::vector<Buffer>& parts);

  void Cut(const NodeName& node, bool to_relay, bool to_node);
  void Heal(const NodeName& node) { cut_.erase(node); }
  bool IsCut(const NodeName& node) const { return cut_.contains(node); }

 private:
  struct Directions {
    bool to_relay = false;
    bool to_node = false;
  };

  Duration Delay();
  bool Loses(const NodeName& node, bool to_relay, double chance);

  World& world_;
  RelayEnd* relay_ = nullptr;
  std::uint64_t relay_number_ = 0;  // of those that were there, and of the times without
  std::uint64_t next_token_ = 1;
  std::map<NodeName, NodeEnd*> nodes_;
  std::map<NodeName, Directions> cut_;
  std::map<NodeName, Duration> submit_ready_;
  std::map<NodeName, Duration> stream_ready_;  // a stream doesn't overtake itself
};

}  // namespace hawser::sim
