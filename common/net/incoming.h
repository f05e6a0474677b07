// Inside of Incoming (requester.h); for common/net's own files.
#pragma once

#include <optional>
#include <vector>
#include <zmq.hpp>

#include "common/net/requester.h"

namespace hawser {

struct Incoming::State {
  MessageType type = MessageType::kRefusal;
  std::vector<zmq::message_t> parts;  // after the envelope
};

// `parts` are a whole message that begins with the envelope. Errors as DecodeEnvelope's.
Result<Incoming> ToIncoming(std::vector<zmq::message_t> parts);

}  // namespace hawser
