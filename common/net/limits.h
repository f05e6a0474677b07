// How much is sent at once; both sides hold to it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/bytes.h"
#include "common/record/codec.h"

namespace hawser {

// A batch: as many records as wait, up to both of these, but always at least one. All batches that a session
// has under way have no more records than one may: the relay keeps the answers to as many of its newest
// numbers, so that all that is under way can be sent again.
inline constexpr std::size_t kMaxBatchRecords = 256;
inline constexpr std::uint64_t kMaxBatchBytes = 2 * kMiB;  // headers and payloads

// One record, whatever it is, fits into a batch.
inline constexpr std::uint64_t kMaxRecordBytes = kMaxRecordHeaderBytes + kMaxPayloadBytes;
static_assert(kMaxRecordBytes <= kMaxBatchBytes);

// What one peer of a listening socket may cost. Who goes over it loses the connection.
struct PeerLimits {
  // Bytes it has sent that nobody has received: several messages that wait, or one that has no end.
  std::uint64_t unread_bytes = 16 * kMiB;
  // Of them, bytes of a message whose end hasn't come.
  std::uint64_t message_bytes = kMaxBatchBytes + kMiB;
  // Peers at a time, and no more than there are descriptors for.
  std::size_t connections = 1024;
};

// A subscriber sends nothing but its subscription, and nobody receives that.
inline constexpr PeerLimits kSubscriberLimits{4 * kKiB, 4 * kKiB, 1024};

// The frames that answer one pull, together; but always at least one frame.
inline constexpr std::uint64_t kMaxPullBytes = 4 * kMiB;

}  // namespace hawser
