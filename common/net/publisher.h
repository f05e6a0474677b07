// The sending end of a stream (PUB). One thread. Never blocks: a subscriber whose queue is full misses
// messages.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/net/context.h"
#include "common/net/messages.h"

namespace hawser {

class Publisher {
 public:
  // Listens on `endpoint`; port 0 gets a free one. At most `queue` messages wait for each subscriber.
  static Result<std::unique_ptr<Publisher>> Bind(NetContext& context, const std::string& endpoint, int queue);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // With the real port.
  const std::string& endpoint() const;

  // Sends [envelope(type)][parts...] to all subscribers. The parts are not copied: `owner` keeps them in
  // place until the last has been sent.
  Status Publish(MessageType type, std::span<const Bytes> parts, std::shared_ptr<const void> owner);

 private:
  struct State;
  explicit Publisher(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hawser
