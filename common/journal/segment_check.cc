#include "common/journal/segment_check.h"

#include <fmt/format.h>

namespace hawser {

std::string TextOf(const JournalFault& fault) {
  std::string text = fmt::format("segment {}, offset {}: {}", fault.segment, fault.offset, fault.what);
  if (fault.first == Group{}) return text;
  if (fault.last == Group{})
    return text + fmt::format("; groups from {} on can't be read", fault.first.value);
  if (fault.first == fault.last) return text + fmt::format("; group {} can't be read", fault.first.value);
  return text + fmt::format("; groups {} to {} can't be read", fault.first.value, fault.last.value);
}

bool HaveParted(const SegmentReader& reader, const Progress& next) {
  const Position& end = reader.at().position;
  if (end.journal != next.position.journal || end.group > next.position.group) return true;
  return end.group == next.position.group && reader.at() != next;
}

Result<std::optional<JournalFault>> FaultBefore(const Progress& next, SegmentReader& reader) {
  const Progress& at = reader.at();
  if (at == next) return std::optional<JournalFault>();
  JournalFault fault{SegmentName(reader.header().first_group()), reader.offset(), reader.obstacle(),
                     Next(at.position.group), next.position.group};
  if (HaveParted(reader, next)) {
    fault.what = fmt::format("it ends there with {}, but the next segment continues from {}",
                             TextInFull(at.position), TextInFull(next.position));
    fault.first = fault.last = Group{};
  } else if (fault.what.empty()) {
    // A new segment begins when the next frame has no room: so what has room is missing in this one.
    HAWSER_ASSIGN(const std::uint64_t file_bytes, reader.FileBytes());
    const std::uint64_t missing = next.journal_bytes - at.journal_bytes;
    HAWSER_ASSIGN(const Tail tail, reader.ExamineTail());
    if (tail.kind != Tail::Kind::kClean) {
      fault.what = tail.what;
    } else if (reader.offset() + kStampBytes + missing <= file_bytes) {
      fault.what = "zeros where a frame should be, and the next segment continues behind what was there";
    } else {
      const bool ends_there = file_bytes <= reader.offset();
      const std::string name = SegmentName(fault.first);
      fault.what =
          fmt::format("it is missing: {} ends with {}, and the next one that is there begins behind {}",
                      fault.segment, at.position.Text(), next.position.Text());
      if (ends_there) fault.what += fmt::format(" (or {} was cut off at {})", fault.segment, file_bytes);
      fault.segment = name;
      fault.offset = 0;
    }
  }
  return std::optional(std::move(fault));
}

Result<SegmentCheck> SegmentCheck::Open(const std::string& folder, Group first) {
  HAWSER_ASSIGN(SegmentReader reader, SegmentReader::Open(folder, first));
  return SegmentCheck(std::move(reader));
}

Result<bool> SegmentCheck::Step(std::uint64_t bytes, Group last) {
  std::uint64_t read = 0;
  while (read < bytes && !fault_ && reader_.at().position.group < last) {
    const std::uint64_t offset = reader_.offset();
    HAWSER_ASSIGN(const auto frame, reader_.Next(kReadAhead));
    if (!frame) return false;
    if (!CheckRecords(*frame, offset)) return false;
    end_ = reader_.at();
    ++groups_;
    records_ += frame->header.count;
    read += reader_.offset() - offset;
  }
  return !fault_ && reader_.at().position.group < last;
}

bool SegmentCheck::CheckRecords(const Frame& frame, std::uint64_t offset) {
  Sequence sequence = frame.header.first_sequence;
  for (const Entry& entry : frame.entries) {
    const auto record = DecodeRecord(entry.header, entry.payload);
    if (!record) {
      const Group group = frame.header.group;
      fault_ =
          JournalFault{SegmentName(reader_.header().first_group()), offset,
                       fmt::format("sequence {}: {}", sequence.value, record.error().message), group, group};
      return false;
    }
    sequence = Next(sequence);
  }
  return true;
}

Result<std::optional<JournalFault>> SegmentCheck::CheckEnd(const Progress& next) {
  if (fault_) return fault_;
  HAWSER_ASSIGN(auto fault, FaultBefore(next, reader_));
  if (fault) return fault;
  HAWSER_ASSIGN(const Tail tail, reader_.ExamineTail());
  if (tail.kind == Tail::Kind::kClean) return fault;
  // Nobody reads what is there; but nobody has written it, either.
  return std::optional(JournalFault{SegmentName(reader_.header().first_group()),
                                    reader_.offset(),
                                    "something stands behind its last frame: " + tail.what,
                                    {},
                                    {}});
}

}  // namespace hawser
