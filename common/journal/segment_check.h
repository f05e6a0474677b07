// Reads one segment to its end and checks all of it: each frame with its stamp, digest, place in the chain
// and records, and that the next segment goes on where it ends. For `hawser journal check` and the scrub.
#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/journal/fault.h"
#include "common/journal/reader.h"
#include "common/journal/segment_reader.h"

namespace hawser {

// Not thread safe; movable.
class SegmentCheck {
 public:
  // As SegmentReader::Open.
  static Result<SegmentCheck> Open(const std::string& folder, Group first);

  // Reads on: frames of about `bytes` together, none behind the group `last`. False: there is nothing more,
  // or a fault.
  Result<bool> Step(std::uint64_t bytes, Group last);
  const std::optional<JournalFault>& fault() const { return fault_; }

  void ForgetCached() { reader_.ForgetCached(); }
  const SegmentReader& reader() const { return reader_; }
  const Progress& end() const { return end_; }      // after the last group that is as it must be
  std::uint64_t groups() const { return groups_; }  // read so far
  std::uint64_t records() const { return records_; }

  // Once there is nothing more. The segment isn't the last: it must end where the next begins, and behind it
  // are zeros.
  Result<std::optional<JournalFault>> CheckEnd(const Progress& next);
  // It is the last one: what a crash leaves may stand there.
  Result<Tail> Remains() { return reader_.ExamineTail(); }

 private:
  explicit SegmentCheck(SegmentReader reader) : reader_(std::move(reader)), end_(reader_.at()) {}

  bool CheckRecords(const Frame& frame, std::uint64_t offset);

  SegmentReader reader_;
  Progress end_;
  std::optional<JournalFault> fault_;
  std::uint64_t groups_ = 0;
  std::uint64_t records_ = 0;
};

// `reader` has read what it could of a segment that isn't the last: what is wrong if the next one continues
// from `next`. Frames are missing in it, or a segment behind it, or the two have parted.
Result<std::optional<JournalFault>> FaultBefore(const Progress& next, SegmentReader& reader);
// Whether they have parted: both are whole, but not of one history. That is no damage of a disk.
bool HaveParted(const SegmentReader& reader, const Progress& next);

}  // namespace hawser
