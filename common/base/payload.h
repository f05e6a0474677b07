// The data of a record, together with what keeps it in memory: it can be read as long as somebody has the
// Payload. So a write is copied by nobody between the FUSE buffer, the socket and the store, and whoever
// made the call may leave at any time.
//
// Copies share the memory. Nobody changes it: it may be read by several threads at once.
#pragma once

#include <memory>
#include <utility>

#include "common/base/bytes.h"

namespace hawser {

class Payload {
 public:
  Payload() = default;
  // `bytes` lie in memory that lives as long as `owner`.
  Payload(Bytes bytes, std::shared_ptr<const void> owner) : bytes_(bytes), owner_(std::move(owner)) {}

  // Takes a buffer over.
  static Payload Of(Buffer buffer) {
    auto owner = std::make_shared<const Buffer>(std::move(buffer));
    const Bytes bytes = *owner;
    return {bytes, std::move(owner)};
  }
  static Payload CopyOf(Bytes bytes) { return Of(Buffer(bytes.begin(), bytes.end())); }

  Bytes bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  const std::shared_ptr<const void>& owner() const { return owner_; }

 private:
  Bytes bytes_;
  std::shared_ptr<const void> owner_;
};

}  // namespace hawser
