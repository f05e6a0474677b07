#include <fmt/format.h>

#include "common/journal/begin.h"
#include "common/journal/inspect.h"
#include "common/journal/segment_check.h"

namespace hawser {

namespace {

// Walks the segments in order, filling the report until the first damage.
class Checker {
 public:
  Checker(const std::string& folder, CheckReport& report) : folder_(folder), report_(report) {}

  // `next` is where the segment behind it begins; nullopt: it is the last.
  Status CheckSegment(Group first, const std::optional<Progress>& next) {
    auto segment = SegmentCheck::Open(folder_, first);
    if (!segment) return CheckUnreadable(first, !next, segment.error());
    const SegmentReader& reader = segment->reader();
    CheckHeader(reader);
    if (report_.damage) return {};
    ++report_.segments;
    HAWSER_ASSIGN(const std::uint64_t file_bytes, reader.FileBytes());
    report_.file_bytes += file_bytes;
    HAWSER_TRY(segment->Step(UINT64_MAX, kAllGroups));
    report_.groups += segment->groups();
    report_.records += segment->records();
    report_.end = segment->end();
    report_.damage = segment->fault();
    if (report_.damage) return {};
    if (!next) return CheckRemains(*segment);
    HAWSER_ASSIGN(report_.damage, segment->CheckEnd(*next));
    return {};
  }

  // A header that can't be read is said when its segment's turn comes.
  Status CheckSegment(Group first, Group next) {
    auto behind = SegmentReader::Open(folder_, next);
    return CheckSegment(first, behind ? std::optional(behind->header().before) : std::optional<Progress>());
  }

 private:
  Status CheckUnreadable(Group first, bool is_last, const Error& error) {
    if (!IsDamage(error)) return error;
    HAWSER_ASSIGN(const bool unfinished, IsUnfinishedSegment(folder_, first));
    if (is_last && unfinished)
      report_.unfinished_segment = SegmentName(first);
    else
      report_.damage = JournalFault{SegmentName(first), 0, error.message, first, {}};
    return {};
  }

  void CheckHeader(const SegmentReader& reader) {
    if (report_.segments > 0) return;
    report_.oldest = report_.end = reader.header().before;
    report_.journal = report_.oldest.position.journal;
  }

  Status CheckRemains(SegmentCheck& segment) {
    HAWSER_ASSIGN(const Tail tail, segment.Remains());
    if (tail.kind == Tail::Kind::kClean) return {};
    const SegmentReader& reader = segment.reader();
    const Group next = Next(reader.at().position.group);
    const JournalFault there{
        SegmentName(reader.header().first_group()), reader.offset(), tail.what, next, {}};
    if (tail.kind == Tail::Kind::kDamaged) {
      report_.damage = there;
    } else {
      report_.torn_tail = there;
      report_.torn_bytes = tail.end - reader.offset();
    }
    return {};
  }

  const std::string& folder_;
  CheckReport& report_;
};

}  // namespace

Result<CheckReport> CheckJournal(const std::string& folder,
                                 const std::function<void(const CheckReport&)>& progress) {
  HAWSER_ASSIGN(const std::vector<Group> groups, ListSegments(folder));
  if (groups.empty()) return Error{ENOENT, fmt::format("folder '{}' holds no journal", folder)};
  CheckReport report;
  HAWSER_ASSIGN(const auto begin, ReadBegin(folder));
  report.missing_beginning = MissingBeginning(begin, groups.front());
  HAWSER_ASSIGN(const bool unfinished, IsUnfinishedSegment(folder, groups.back()));
  Checker checker(folder, report);
  for (std::size_t i = 0; i < groups.size() && !report.damage; ++i) {
    // An unfinished segment at the end makes the one before it the last.
    const bool is_last = i + 1 == groups.size() || (unfinished && i + 2 == groups.size());
    HAWSER_TRY(is_last ? checker.CheckSegment(groups[i], std::nullopt)
                       : checker.CheckSegment(groups[i], groups[i + 1]));
    if (progress) progress(report);
  }
  return report;
}

}  // namespace hawser
