#include "common/journal/inspect.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/journal/file_journal_reader.h"
#include "common/journal/segment_reader.h"
#include "common/record/kinds.h"

namespace hawser {

namespace {

struct Segments {
  std::vector<Group> groups;
  bool unfinished = false;  // the last one

  // Where a torn tail is no damage.
  Group last() const { return groups[groups.size() - (unfinished && groups.size() > 1 ? 2 : 1)]; }
};

Result<Segments> SegmentsOf(const std::string& folder) {
  Segments segments;
  HAWSER_ASSIGN(segments.groups, ListSegments(folder));
  if (segments.groups.empty()) return Error{ENOENT, fmt::format("folder '{}' holds no journal", folder)};
  HAWSER_ASSIGN(segments.unfinished, IsUnfinishedSegment(folder, segments.groups.back()));
  return segments;
}

// ---- list

Status Summarise(SegmentReader& reader, bool is_last, SegmentInfo& info) {
  info.before = info.end = reader.header().before;
  info.journal = info.before.position.journal;
  info.created = reader.header().created;
  for (;;) {
    HAWSER_ASSIGN(const auto frame, reader.Skip());
    if (!frame) break;
    if (!info.first_time) info.first_time = frame->time;
    ++info.groups;
    info.records += frame->count;
  }
  info.end = reader.at();
  info.used_bytes = reader.offset();
  HAWSER_ASSIGN(const Tail tail, reader.ExamineTail());
  if (tail.kind == Tail::Kind::kTorn && is_last) {
    info.problem = fmt::format("a torn tail of {} bytes at offset {}, cut when the journal is next opened",
                               tail.end - reader.offset(), reader.offset());
  } else if (tail.kind != Tail::Kind::kClean) {
    info.problem = fmt::format("damaged at offset {}: {}", reader.offset(), tail.what);
  }
  return {};
}

Result<SegmentInfo> InfoOf(const std::string& folder, const Segments& segments, Group first) {
  SegmentInfo info;
  info.name = SegmentName(first);
  if (segments.unfinished && first == segments.groups.back()) {
    info.problem = "unfinished: a crash interrupted its creation; removed when the journal is next opened";
    return info;
  }
  auto reader = SegmentReader::Open(folder, first);
  if (!reader && !IsDamage(reader.error())) return reader.error();
  if (!reader) {
    info.problem = reader.error().message;
    return info;
  }
  HAWSER_ASSIGN(info.file_bytes, reader->FileBytes());
  HAWSER_TRY(Summarise(*reader, first == segments.last(), info));
  return info;
}

// ---- show

bool NamesSomethingBelow(const Record& record, const StorePath& folder) {
  bool found = false;
  ForEachPath(record.body, [&](const StorePath& path) { found = found || path.IsAtOrBelow(folder); });
  return found;
}

bool Matches(const RecordFilter& filter, const Record& record) {
  if (filter.volume && record.volume != *filter.volume) return false;
  return !filter.below || NamesSomethingBelow(record, *filter.below);
}

// The newest segment that does not begin behind `from`; the oldest without it.
Result<SegmentReader> OpenForSequence(const std::string& folder, std::optional<Sequence> from) {
  HAWSER_ASSIGN(Segments segments, SegmentsOf(folder));
  if (segments.unfinished && segments.groups.size() > 1) segments.groups.pop_back();
  const auto& groups = segments.groups;
  for (std::size_t i = groups.size(); from && i-- > 0;) {
    HAWSER_ASSIGN(SegmentReader reader, SegmentReader::Open(folder, groups[i]));
    const Sequence before = reader.header().before.position.sequence;
    if (before < *from) return reader;
    if (i == 0 && *from != Sequence(0)) {
      return Error{ENODATA, fmt::format("the journal in '{}' begins with sequence {}; {} has been dropped",
                                        folder, before.value + 1, from->value)};
    }
  }
  return SegmentReader::Open(folder, groups.front());
}

// false: enough.
Result<bool> ShowFrame(const Frame& frame, const std::string& segment, const RecordFilter& filter,
                       const std::function<bool(const ShownRecord&)>& show) {
  Sequence sequence = frame.header.first_sequence;
  for (const Entry& entry : frame.entries) {
    if (filter.to && sequence > *filter.to) return false;
    if (!filter.from || sequence >= *filter.from) {
      const auto record = DecodeRecord(entry.header, entry.payload);
      if (!record) {
        return Error{EBADMSG, fmt::format("journal segment '{}', sequence {}: {}", segment, sequence.value,
                                          record.error().message)};
      }
      if (Matches(filter, *record) &&
          !show({sequence, frame.header.group, frame.header.time, *record, entry.payload}))
        return false;
    }
    sequence = Next(sequence);
  }
  return true;
}

}  // namespace

Result<std::vector<SegmentInfo>> ListJournal(const std::string& folder) {
  HAWSER_ASSIGN(const Segments segments, SegmentsOf(folder));
  std::vector<SegmentInfo> list;
  for (const Group group : segments.groups) {
    HAWSER_ASSIGN(SegmentInfo info, InfoOf(folder, segments, group));
    if (!list.empty() && list.back().problem.empty() && info.problem.empty() &&
        info.before != list.back().end)
      info.problem = fmt::format("does not continue the segment before, which ends with {}",
                                 list.back().end.position.Text());
    list.push_back(std::move(info));
  }
  return list;
}

Status ShowJournal(const std::string& folder, const RecordFilter& filter,
                   const std::function<bool(const ShownRecord&)>& show) {
  HAWSER_ASSIGN(SegmentReader segment, OpenForSequence(folder, filter.from));
  FileJournalReader reader(folder, std::move(segment));
  for (;;) {
    HAWSER_ASSIGN(const auto frame, reader.Next(kAllGroups));
    if (!frame) return {};
    if (filter.from && frame->header.last_sequence() < *filter.from) continue;
    HAWSER_ASSIGN(const bool more, ShowFrame(*frame, reader.segment_path(), filter, show));
    if (!more) return {};
  }
}

}  // namespace hawser
