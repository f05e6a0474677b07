// Reads one segment file, frame by frame, and tells what it finds where the frames end. Recovery, readers and
// inspection are built on it.
#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/journal/file_window.h"
#include "common/journal/frame.h"
#include "common/journal/segment.h"

namespace hawser {

// What stands behind the last frame that could be read.
struct Tail {
  enum class Kind {
    kClean,   // nothing but zeros
    kTorn,    // what a crash leaves: bytes that are no frame, and no flushed frame behind them
    kDamaged  // something that was once on the disk as it should be
  };
  Kind kind = Kind::kClean;
  std::uint64_t end = 0;  // of the last byte that isn't zero
  std::string what;       // torn and damaged: why there is no frame, and what proves damage
};

// For Next(), by whoever reads one frame after the other.
inline constexpr std::uint64_t kReadAhead = 256 * kKiB;

// Not thread safe; movable. Works on a segment that is being appended to and on one that has been removed
// meanwhile.
class SegmentReader {
 public:
  // ENOENT if there is no such segment (any more). EBADMSG, naming it, if its header is not whole or isn't
  // that of this segment; ENOTSUP if it is of another version.
  static Result<SegmentReader> Open(const std::string& folder, Group first);

  const std::string& path() const { return window_.path(); }
  const SegmentHeader& header() const { return header_; }
  std::uint64_t offset() const { return offset_; }  // of the next slot
  const Progress& at() const { return at_; }        // the state before the next slot
  Stamp last_stamp() const { return last_stamp_; }  // of the last frame that Next() returned

  // The frame at offset() if there is one, with digest and chain checked; moves behind it. nullopt: there is
  // none, and obstacle() says why. Reads up to `ahead` bytes beyond it. Entries are valid until the next
  // call.
  Result<std::optional<Frame>> Next(std::uint64_t ahead);

  // The bytes of the frame that Next() has just returned; as long valid as its entries.
  Bytes frame_bytes() const { return frame_bytes_; }

  // How many bytes the frame at offset() has, going by its front alone; nullopt if there is none.
  Result<std::optional<std::uint64_t>> PeekFrameBytes();

  // As Next(), but only the chain is checked: no records are read.
  Result<std::optional<FrameHeader>> Skip();

  // Why Next() or Skip() returned nothing. Empty if only zeros or the end of the file are there.
  const std::string& obstacle() const { return obstacle_; }

  // After Next() returned nothing: reads the rest of the segment to tell why.
  Result<Tail> ExamineTail();

  // So that it is read from the disk, and keeps nothing else out of memory.
  void ForgetCached() { window_.ForgetCached(); }

  Result<std::uint64_t> FileBytes() const { return window_.FileBytes(); }

  // EBADMSG at offset(), in one sentence with the segment.
  Error DamageAt(const std::string& what) const;

 private:
  SegmentReader(FileWindow window, SegmentHeader header);

  Result<std::optional<Frame>> TryNext(std::uint64_t ahead);
  Result<std::optional<FrameHeader>> FrontAt(std::uint64_t offset, std::uint64_t ahead, std::string& why_not);
  // Moves behind the frame that `slot` begins with, if it is the one that belongs at offset().
  bool Accept(Bytes slot, const FrameHeader& header);
  Result<std::uint64_t> FindEnd();
  Result<std::optional<std::string>> FindFlushedFrame(std::uint64_t end);
  // That the slot at `offset` holds a frame only damage can explain; as a sentence.
  Result<std::optional<std::string>> ProofOfDamage(std::uint64_t offset);

  FileWindow window_;
  SegmentHeader header_;
  Progress at_;
  std::uint64_t offset_ = kSegmentHeaderBytes;
  Stamp last_stamp_;
  Bytes frame_bytes_;
  std::string obstacle_;
};

// Whether `name` in `folder` is what a crash leaves of a segment whose creation it interrupted: no whole
// header, and nothing behind it.
Result<bool> IsUnfinishedSegment(const std::string& folder, Group first);

// Whether a segment between readable ones can't be opened because its header is damaged: also one of another
// version is, since a flipped bit may be in the number.
inline bool IsDamage(const Error& error) { return error.code == EBADMSG || error.code == ENOTSUP; }

// With digest and journal: two positions of the same group are told apart by it.
std::string TextInFull(const Position& position);

}  // namespace hawser
