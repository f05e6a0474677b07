// The receiving end of the relay's stream (SUB). May miss messages; never reorders or repeats them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/net/context.h"
#include "common/net/requester.h"

namespace hawser {

class Subscriber {
 public:
  // Subscribes to everything at `endpoint`; reconnects by itself for ever. `queue` bounds the messages kept
  // here.
  Subscriber(NetContext& context, std::string endpoint, int queue = 256);
  ~Subscriber();

  // The next message, waiting until `deadline`; nullopt at the deadline. Malformed messages are dropped and
  // counted.
  Result<std::optional<Incoming>> Receive(Deadline deadline);

  std::uint64_t malformed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hawser
