// The pieces of a segment file apart from its frames: names, header, stamps. docs/JOURNAL_FORMAT.md.
//
//   segment: header (4096 bytes), slot, slot, ..., zeros
//   slot:    stamp (16 bytes), frame, zeros up to a multiple of 32 bytes
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/journal/format.h"
#include "common/record/position.h"

namespace hawser {

struct SegmentHeader {
  Progress before;  // the state before the segment's first frame
  Timestamp created;

  Group first_group() const { return Next(before.position.group); }
};

// "00000000000000000042.hwj", and back (nullopt: not such a name).
std::string SegmentName(Group first);
std::optional<Group> ParseSegmentName(std::string_view name);

// First groups of all segments in `folder`, in order. Other files are left alone. ENOENT if there is no such
// folder.
Result<std::vector<Group>> ListSegments(const std::string& folder);

// kSegmentHeaderBytes of them.
Buffer EncodeSegmentHeader(const SegmentHeader& header);

// EBADMSG if it isn't a whole header; ENOTSUP if it is one of another version.
Result<SegmentHeader> DecodeSegmentHeader(Bytes bytes);

// Stands before each frame: everything in the segment before the offset `flushed` was on the disk when this
// frame was written. It tells damage from a crash's remains: frames that were written between two flushes may
// reach the disk in any order, so a whole frame behind a broken one proves damage only if the broken one had
// been flushed before.
struct Stamp {
  std::uint64_t flushed = 0;

  friend bool operator==(const Stamp&, const Stamp&) = default;
};

// For the slot at `offset`, which holds the frame with this digest.
std::array<std::byte, kStampBytes> EncodeStamp(Stamp stamp, std::uint64_t offset, const Digest& frame);

// nullopt unless it is the stamp of that frame at that offset.
std::optional<Stamp> DecodeStamp(Bytes bytes, std::uint64_t offset, const Digest& frame);

// Where the slot after one at `offset` begins.
constexpr std::uint64_t NextSlot(std::uint64_t offset, std::uint64_t frame_bytes) {
  const std::uint64_t end = offset + kStampBytes + frame_bytes;
  return (end + kSlotAlignment - 1) / kSlotAlignment * kSlotAlignment;
}

bool IsAllZeros(Bytes bytes);

}  // namespace hawser
