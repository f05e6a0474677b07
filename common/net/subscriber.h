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
  // Subscribes to everything at `endpoint`; reconnects by itself for ever, also when the publisher, which
  // says something several times a second, has been silent for long. `queue` bounds the messages kept here;
  // while it is full the rest waits at the publisher, and what has no room there is missed.
  Subscriber(NetContext& context, std::string endpoint, int queue = 256);
  ~Subscriber();

  // The next message, waiting until `deadline`; nullopt at the deadline. Malformed messages are dropped and
  // counted.
  Result<std::optional<Incoming>> Receive(Deadline deadline);

  std::uint64_t malformed() const;

  void set_silence(std::chrono::milliseconds time);  // default 5 s

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hawser
