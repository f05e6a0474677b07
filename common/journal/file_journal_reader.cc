#include "common/journal/file_journal_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/journal/begin.h"
#include "common/journal/segment_check.h"

namespace hawser {

namespace {

// Instead of kReadAhead, when following a running journal group by group: less than so many are to come.
constexpr std::uint64_t kReadAheadLive = 8 * kKiB;
constexpr std::uint64_t kManyGroups = 16;

// A segment can be dropped between being listed and being opened.
constexpr int kOpenAttempts = 10;

Error Gone(const std::string& folder, const Position& after, const Position& oldest) {
  return {ENODATA, fmt::format("the journal in '{}' begins after {} and no longer has what came after {}",
                               folder, oldest.Text(), after.Text())};
}

Error Parted(const std::string& folder, const Position& after, const Position& here) {
  return {ESTALE, fmt::format("the journal in '{}' does not hold {}: it has {}", folder, TextInFull(after),
                              TextInFull(here))};
}

// The first groups of all usable segments. ENOENT if there are none.
Result<std::vector<Group>> UsableSegments(const std::string& folder) {
  HAWSER_ASSIGN(std::vector<Group> groups, ListSegments(folder));
  if (!groups.empty()) {
    const auto unfinished = IsUnfinishedSegment(folder, groups.back());
    if (!unfinished && unfinished.error().code != ENOENT) return unfinished.error();
    if (unfinished && *unfinished) groups.pop_back();
  }
  if (groups.empty()) return Error{ENOENT, fmt::format("folder '{}' holds no journal", folder)};
  return groups;
}

// Moves `segment` behind `after`, which is not before it.
Status SkipTo(const std::string& folder, const Position& after, bool is_last, SegmentReader& segment) {
  while (segment.at().position.group < after.group) {
    HAWSER_ASSIGN(const auto frame, segment.Skip());
    if (frame) continue;
    HAWSER_ASSIGN(const Tail tail, segment.ExamineTail());
    if (!is_last || tail.kind == Tail::Kind::kDamaged) {
      return segment.DamageAt(tail.what.empty() ? "its frames end before the next segment begins"
                                                : tail.what);
    }
    return Parted(folder, after, segment.at().position);
  }
  if (segment.at().position != after) return Parted(folder, after, segment.at().position);
  return {};
}

// ENOENT if a segment was dropped under our hands.
Result<SegmentReader> TryOpenAt(const std::string& folder, const Position& after) {
  HAWSER_ASSIGN(const std::vector<Group> groups, UsableSegments(folder));
  if (after.journal == JournalId{} && after.group == Group(0))
    return SegmentReader::Open(folder, groups.front());
  auto behind = std::upper_bound(groups.begin(), groups.end(), Next(after.group));
  const bool is_before = behind == groups.begin();
  HAWSER_ASSIGN(SegmentReader segment, SegmentReader::Open(folder, is_before ? *behind : *std::prev(behind)));
  const Position& begin = segment.header().before.position;
  if (after.journal != begin.journal) return Parted(folder, after, begin);
  if (is_before) return Gone(folder, after, begin);
  HAWSER_TRY(SkipTo(folder, after, behind == groups.end(), segment));
  return segment;
}

}  // namespace

Result<std::optional<Frame>> FileJournalReader::Next(Group last) {
  HAWSER_ASSIGN(auto frame, TryNext(last));
  if (frame || at().position.group >= last) return frame;
  HAWSER_TRY(CheckEnd(last));
  return std::optional<Frame>();
}

Result<std::optional<Frame>> FileJournalReader::TryNext(Group last) {
  while (at().position.group < last) {
    const bool many = last.value - at().position.group.value >= kManyGroups;
    HAWSER_ASSIGN(auto frame, segment_.Next(many ? kReadAhead : kReadAheadLive));
    if (frame) return frame;
    HAWSER_ASSIGN(const bool entered, EnterNextSegment());
    if (!entered) break;
  }
  return std::optional<Frame>();
}

Result<bool> FileJournalReader::EnterNextSegment() {
  const Group first = hawser::Next(at().position.group);
  if (segment_.header().first_group() == first) return false;  // it is this one, and empty
  auto next = SegmentReader::Open(folder_, first);
  if (!next) {
    if (next.error().code == ENOENT) return false;
    const auto unfinished = IsUnfinishedSegment(folder_, first);
    if (unfinished && *unfinished) return false;
    return IsDamage(next.error()) ? Error{EBADMSG, next.error().message} : next.error();
  }
  if (next->header().before != at()) {
    return segment_.DamageAt(fmt::format("the next segment does not continue from here, but from {}",
                                         TextInFull(next->header().before.position)));
  }
  segment_ = *std::move(next);
  return true;
}

Status FileJournalReader::CheckEnd(Group last) {
  HAWSER_ASSIGN(const std::vector<Group> groups, ListSegments(folder_));
  const auto later = std::upper_bound(groups.begin(), groups.end(), hawser::Next(at().position.group));
  if (later != groups.end()) {
    HAWSER_ASSIGN(const SegmentReader next, SegmentReader::Open(folder_, *later));
    const Progress& before = next.header().before;
    // Listed first: what was dropped since then is no damage.
    HAWSER_ASSIGN(const auto begin, ReadBegin(folder_));
    if (begin && at().position.group < begin->position.group)
      return Gone(folder_, at().position, before.position);
    HAWSER_ASSIGN(const auto fault, FaultBefore(before, segment_));
    if (!fault) return {};
    return Error{EBADMSG, fmt::format("the journal in '{}' is damaged: {}", folder_, TextOf(*fault))};
  }
  // Of a group that is durable, nothing but damage can be in the way.
  if (last != kAllGroups && !segment_.obstacle().empty()) return segment_.DamageAt(segment_.obstacle());
  HAWSER_ASSIGN(const Tail tail, segment_.ExamineTail());
  if (tail.kind == Tail::Kind::kDamaged) return segment_.DamageAt(tail.what);
  return {};
}

Result<Buffer> FileJournalReader::NextBytes(Group last, std::uint64_t max_bytes) {
  Buffer bytes;
  for (;;) {
    if (!bytes.empty()) {
      HAWSER_ASSIGN(const auto size, segment_.PeekFrameBytes());
      if (!size || bytes.size() + *size > max_bytes) return bytes;
    }
    HAWSER_ASSIGN(const auto frame, Next(last));
    if (!frame) return bytes;
    const Bytes frame_bytes = segment_.frame_bytes();
    if (bytes.empty()) bytes.reserve(std::max<std::uint64_t>(frame_bytes.size(), max_bytes));
    bytes.insert(bytes.end(), frame_bytes.begin(), frame_bytes.end());
  }
}

Result<std::unique_ptr<JournalReader>> OpenJournalReader(const std::string& folder, const Position& after) {
  for (int attempt = 1;; ++attempt) {
    auto segment = TryOpenAt(folder, after);
    if (segment) {
      return std::unique_ptr<JournalReader>(std::make_unique<FileJournalReader>(folder, *std::move(segment)));
    }
    // A running journal drops segments while we look for ours.
    if (segment.error().code != ENOENT || attempt == kOpenAttempts) return segment.error();
  }
}

}  // namespace hawser
