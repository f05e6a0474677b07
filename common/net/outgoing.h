// Parts of a message that libzmq reads where they lie, and what keeps them until it is done with them; for
// common/net's own files.
#pragma once

#include <memory>
#include <span>
#include <zmq.hpp>

#include "common/base/bytes.h"
#include "common/base/payload.h"

namespace hawser {

// A part that is `payload`.
zmq::message_t SharePart(const Payload& payload);

// Parts that are `parts`, which belong to `owner`: it is kept until libzmq has released the last of them.
std::vector<zmq::message_t> ShareParts(std::span<const Bytes> parts, std::shared_ptr<const void> owner);

// A part that keeps `buffer`.
zmq::message_t AdoptPart(Buffer buffer);

}  // namespace hawser
