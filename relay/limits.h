// How much of anything the relay takes at once: its memory is bounded whatever arrives and however far behind
// a secondary is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "common/base/bytes.h"
#include "common/net/heartbeat.h"
#include "common/record/codec.h"

namespace hawser {

// The write groups that are formed at a time, together. What is over waits in the socket for the next time.
// Half of what a socket takes as one part (common/net/socket.h), so that any frame can be pulled.
inline constexpr std::size_t kMaxGroupRecords = 1024;
inline constexpr std::uint64_t kMaxGroupBytes = 8 * kMiB;

// Frames up to this size go over the stream; larger ones are announced, and secondaries pull them. The size
// is that of the batches that a frame keeps in memory. With the queue below it bounds what a subscriber that
// does not read can hold back: 64 MiB.
inline constexpr std::uint64_t kMaxPublishedBytes = 256 * kKiB;
inline constexpr int kPublishQueue = 256;
inline constexpr auto kHeadInterval = std::chrono::milliseconds(250);

// Pulls of one node that wait, and pulls of all that are with the disk or on their way back: the frames of
// those are in memory.
inline constexpr std::size_t kPullsANode = 4;
inline constexpr int kPullsAtWork = 2;
inline constexpr std::size_t kDiskQueue = 16;
// Readers of pulls are closed when nobody has pulled for so long: they hold segments on the disk.
inline constexpr auto kIdleReader = std::chrono::seconds(30);

// Orders that are under way at a time; each is kept for so long after somebody asked how it stands.
inline constexpr std::size_t kMostOrders = 64;
inline constexpr auto kOrderIsKept = std::chrono::seconds(3);

// Attempts at promotions that are remembered at a time, how long one that is settled is after somebody asked
// how it stands, and how long one may take.
inline constexpr std::size_t kMostPromotions = 256;
inline constexpr auto kPromotionIsKept = std::chrono::seconds(10);
inline constexpr auto kLongestPromotion = std::chrono::hours(24);
// While one is under way it is looked at so often: its steps come with reports and with the writer's answers.
inline constexpr auto kPromotionTurn = std::chrono::milliseconds(20);

// So long after its start a relay reckons with nodes that haven't reported to it yet: they ask again after
// half of kSilentAfter.
inline constexpr auto kNodesComeBack = 2 * kSilentAfter;

// Points of the journal that the relay remembers for retention.
inline constexpr std::size_t kMaxMilestones = 2048;

}  // namespace hawser
