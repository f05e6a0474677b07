// The numbers of the journal's format; docs/JOURNAL_FORMAT.md describes it, golden bytes in the tests hold it
// still.
//
// A segment holds frames of one version: whoever raises kFrameVersion or changes how frames lie in a segment
// raises kSegmentVersion too, so that an older program refuses the segment instead of taking its frames for a
// torn tail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/bytes.h"
#include "common/record/codec.h"

namespace hawser {

// Frames. The magics read as text in a hex dump.
inline constexpr std::uint32_t kFrameMagic = 0x52465748;  // "HWFR"
inline constexpr std::uint16_t kFrameVersion = 1;
inline constexpr std::size_t kFrameHeaderBytes = 104;
inline constexpr std::size_t kFrameDigestOffset = 88;
inline constexpr std::size_t kSizeEntryBytes = 8;  // of the size table: u32 header bytes, u32 payload bytes

// What a frame may hold, so that garbage cannot ask for much memory.
inline constexpr std::uint32_t kMaxFrameRecords = 65536;
inline constexpr std::uint64_t kMaxFramePayloadBytes = kMaxPayloadBytes + 64 * kKiB;

// Segments.
inline constexpr std::uint32_t kSegmentMagic = 0x47535748;  // "HWSG"
inline constexpr std::uint16_t kSegmentVersion = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 4096;
inline constexpr std::size_t kSegmentDigestOffset =
    80;                                          // the digest covers what is before it; after it: zeros
inline constexpr std::size_t kGroupDigits = 20;  // of a segment's name
inline constexpr std::string_view kSegmentSuffix = ".hwj";

// Frames lie in slots: a stamp, the frame, and zeros up to the alignment. The stamp shares a sector with the
// frame's beginning, so after a power cut a frame is never there without its stamp.
inline constexpr std::size_t kStampBytes = 16;
inline constexpr std::uint64_t kSlotAlignment = 32;

// Holds a position while the groups after it are being taken back (cut.h).
inline constexpr std::string_view kCutName = "cut";

// Holds the position behind which the journal begins (begin.h).
inline constexpr std::string_view kBeginName = "begin";

// Damage that was found and isn't mended yet (scrub.h).
inline constexpr std::string_view kDamageName = "damage";

// Taken with flock(2) by whoever has the journal open for appending.
inline constexpr std::string_view kLockName = "lock";

}  // namespace hawser
