#include "common/net/outgoing.h"

#include <atomic>
#include <vector>

#include "common/net/socket.h"

namespace hawser {

namespace {

// libzmq takes void* but only reads.
zmq::message_t Refer(Bytes bytes, zmq::free_fn* release, void* hint) {
  return zmq::message_t(const_cast<std::byte*>(bytes.data()), bytes.size(), release, hint);
}

struct Shared {
  std::shared_ptr<const void> owner;
  std::atomic<std::size_t> parts{0};
};

void ReleaseShared(void*, void* hint) {
  auto* shared = static_cast<Shared*>(hint);
  if (shared->parts.fetch_sub(1, std::memory_order_acq_rel) == 1) delete shared;
}

// The flag hands the buffer from the thread that sends it to libzmq's, which frees it.
struct Adopted {
  explicit Adopted(Buffer content) : buffer(std::move(content)) {}
  Buffer buffer;
  std::atomic<bool> sent{false};
};

void ReleaseAdopted(void*, void* hint) {
  auto* adopted = static_cast<Adopted*>(hint);
  if (adopted->sent.load(std::memory_order_acquire)) delete adopted;
}

}  // namespace

zmq::message_t SharePart(const Payload& payload) {
  const Bytes part = payload.bytes();
  if (part.size() <= kCopiedPartBytes) return zmq::message_t(part.data(), part.size());
  auto* shared = new Shared{payload.owner()};
  shared->parts.store(1, std::memory_order_release);
  return Refer(part, &ReleaseShared, shared);
}

std::vector<zmq::message_t> ShareParts(std::span<const Bytes> parts, std::shared_ptr<const void> owner) {
  std::vector<zmq::message_t> messages;
  messages.reserve(parts.size());
  // One reference is this function's own, so that a part released early does not end it.
  auto* shared = new Shared{std::move(owner)};
  shared->parts.store(1, std::memory_order_release);
  for (const Bytes part : parts) {
    if (part.size() <= kCopiedPartBytes) {
      messages.emplace_back(part.data(), part.size());
    } else {
      shared->parts.fetch_add(1, std::memory_order_acq_rel);
      messages.push_back(Refer(part, &ReleaseShared, shared));
    }
  }
  ReleaseShared(nullptr, shared);
  return messages;
}

zmq::message_t AdoptPart(Buffer buffer) {
  if (buffer.size() <= kCopiedPartBytes) return zmq::message_t(buffer.data(), buffer.size());
  auto adopted = std::make_unique<Adopted>(std::move(buffer));
  zmq::message_t message = Refer(adopted->buffer, &ReleaseAdopted, adopted.get());
  adopted.release()->sent.store(true, std::memory_order_release);
  return message;
}

}  // namespace hawser
