#include <fmt/format.h>

#include "common/journal/inspect.h"
#include "common/journal/segment_reader.h"

namespace hawser {

namespace {

// Walks the segments in order, filling the report until the first damage.
class Checker {
 public:
  Checker(const std::string& folder, CheckReport& report) : folder_(folder), report_(report) {}

  Status CheckSegment(Group first, bool is_last) {
    segment_ = SegmentName(first);
    auto reader = SegmentReader::Open(folder_, first);
    if (!reader) return CheckUnreadable(first, is_last, reader.error());
    CheckHeader(*reader);
    if (report_.damage) return {};
    ++report_.segments;
    HAWSER_ASSIGN(const std::uint64_t file_bytes, reader->FileBytes());
    report_.file_bytes += file_bytes;
    HAWSER_TRY(CheckFrames(*reader));
    if (report_.damage) return {};
    return CheckTail(*reader, is_last);
  }

 private:
  void Damage(std::uint64_t offset, std::string what) {
    report_.damage = JournalFault{segment_, offset, std::move(what)};
  }

  Status CheckUnreadable(Group first, bool is_last, const Error& error) {
    if (error.code != EBADMSG && error.code != ENOTSUP) return error;
    HAWSER_ASSIGN(const bool unfinished, IsUnfinishedSegment(folder_, first));
    if (is_last && unfinished)
      report_.unfinished_segment = segment_;
    else
      Damage(0, error.message);
    return {};
  }

  void CheckHeader(const SegmentReader& reader) {
    const Progress& before = reader.header().before;
    if (report_.segments == 0) {
      report_.journal = before.position.journal;
      report_.oldest = report_.end = before;
    } else if (before != report_.end) {
      Damage(0, fmt::format(
                    "it continues from {} with digest {} in journal {}, but the segment before ends with {} "
                    "with digest {} in journal {}",
                    before.position.Text(), before.position.digest.Hex(), before.position.journal.Hex(),
                    report_.end.position.Text(), report_.end.position.digest.Hex(), report_.journal.Hex()));
    }
  }

  Status CheckFrames(SegmentReader& reader) {
    for (;;) {
      const std::uint64_t offset = reader.offset();
      HAWSER_ASSIGN(const auto frame, reader.Next(kReadAhead));
      if (!frame) return {};
      CheckRecords(*frame, offset);
      if (report_.damage) return {};
      ++report_.groups;
      report_.records += frame->header.count;
      report_.end = reader.at();
    }
  }

  void CheckRecords(const Frame& frame, std::uint64_t offset) {
    Sequence sequence = frame.header.first_sequence;
    for (const Entry& entry : frame.entries) {
      const auto record = DecodeRecord(entry.header, entry.payload);
      if (!record)
        return Damage(offset, fmt::format("sequence {}: {}", sequence.value, record.error().message));
      sequence = Next(sequence);
    }
  }

  Status CheckTail(SegmentReader& reader, bool is_last) {
    HAWSER_ASSIGN(const Tail tail, reader.ExamineTail());
    if (tail.kind == Tail::Kind::kClean) return {};
    if (tail.kind == Tail::Kind::kDamaged || !is_last) {
      Damage(reader.offset(), tail.what);
    } else {
      report_.torn_tail = JournalFault{segment_, reader.offset(), tail.what};
      report_.torn_bytes = tail.end - reader.offset();
    }
    return {};
  }

  const std::string& folder_;
  CheckReport& report_;
  std::string segment_;
};

}  // namespace

Result<CheckReport> CheckJournal(const std::string& folder,
                                 const std::function<void(const CheckReport&)>& progress) {
  HAWSER_ASSIGN(const std::vector<Group> groups, ListSegments(folder));
  if (groups.empty()) return Error{ENOENT, fmt::format("folder '{}' holds no journal", folder)};
  CheckReport report;
  Checker checker(folder, report);
  for (std::size_t i = 0; i < groups.size() && !report.damage; ++i) {
    // An unfinished segment at the end makes the one before it the last.
    bool is_last = i + 1 == groups.size();
    if (i + 2 == groups.size()) {
      HAWSER_ASSIGN(is_last, IsUnfinishedSegment(folder, groups.back()));
    }
    HAWSER_TRY(checker.CheckSegment(groups[i], is_last));
    if (progress) progress(report);
  }
  return report;
}

}  // namespace hawser
