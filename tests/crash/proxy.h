// TCP links of this machine that can be cut: each forwards connections from a port of its own to another
// port.
//
// What is held stays in the sockets, as on a network that loses packets: the ends notice nothing but silence.
// What is cut is reset at once. Thread safe.
#pragma once

#include <cstdint>
#include <memory>

#include "common/base/result.h"

namespace hawser::test {

enum class Flow {
  kOpen,
  kHoldRequests,  // nothing passes from the connecting side to the listening one
  kHoldReplies,   // nothing passes back
  kHoldAll,       // nothing passes, and nobody can connect
  kCut,           // connections are reset, also new ones
};

using LinkId = std::size_t;

class Proxy {
 public:
  Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy();

  // A link to a port of the loopback address, open.
  Result<LinkId> Add(std::uint16_t target);
  // Where to connect to.
  std::uint16_t port(LinkId link) const;

  void Set(LinkId link, Flow flow);
  // Resets its connections; what is held in them is lost. New ones are treated as its flow says.
  void Reset(LinkId link);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hawser::test
