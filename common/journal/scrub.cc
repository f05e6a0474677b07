#include "common/journal/scrub.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/files.h"
#include "common/base/log.h"
#include "common/journal/begin.h"
#include "common/journal/segment_reader.h"
#include "common/record/pack.h"

namespace hawser {

namespace {

std::string DamagePath(const std::string& folder) { return fmt::format("{}/{}", folder, kDamageName); }

JournalFault ReadFault(Unpacker& in) {
  JournalFault fault;
  in.Array("fault", 5);
  fault.segment = in.Text("segment");
  fault.offset = in.Uint("offset");
  fault.what = in.Text("what");
  fault.first = Group(in.Uint("first"));
  fault.last = Group(in.Uint("last"));
  return fault;
}

}  // namespace

void JournalScrub::Recall() {
  const auto content = ReadFile(DamagePath(folder_));
  if (!content) return;
  Unpacker in(AsBytes(*content));
  std::vector<JournalFault> faults;
  for (std::size_t left = in.Array("faults"); left > 0 && !in.failed(); --left)
    faults.push_back(ReadFault(in));
  if (auto read = in.Finish(); !read)
    log::warn("'{}' can't be understood and is made anew: {}", DamagePath(folder_), read.error().message);
  else
    Note(faults);
}

// The first round tells whether it is still so.
void JournalScrub::Note(const std::vector<JournalFault>& faults) {
  for (const JournalFault& fault : faults) known_.insert_or_assign(fault.segment, fault);
}

std::vector<JournalFault> JournalScrub::faults() const {
  std::vector<JournalFault> faults;
  for (const auto& [segment, fault] : known_) faults.push_back(fault);
  return faults;
}

JournalScrub::News JournalScrub::TakeNews() { return std::exchange(news_, {}); }

Result<bool> JournalScrub::Step(std::uint64_t bytes, Group durable) {
  if (!current_) {
    HAWSER_ASSIGN(const bool entered, Enter(durable));
    if (!entered) {
      HAWSER_TRY(EndRound());
      return true;
    }
    if (!current_) return false;  // it can't be entered: that is known now
  }
  const Group first = current_->reader().header().first_group();
  // Where there is a later segment this one is complete.
  HAWSER_ASSIGN(const Behind behind, BehindSegment(first));
  HAWSER_ASSIGN(const bool more, current_->Step(bytes, behind.is_last ? durable : kAllGroups));
  if (more) return false;
  HAWSER_ASSIGN(const auto fault, FaultOfCurrent(behind, durable));
  HAWSER_TRY(Leave(fault));
  return false;
}

// Once it is read to its end.
Result<std::optional<JournalFault>> JournalScrub::FaultOfCurrent(const Behind& behind, Group durable) {
  if (behind.begin) return current_->CheckEnd(*behind.begin);
  const SegmentReader& reader = current_->reader();
  const bool ends_early = behind.is_last ? reader.at().position.group < durable : !reader.obstacle().empty();
  if (current_->fault() || !ends_early) return current_->fault();
  return std::optional(
      JournalFault{SegmentName(reader.header().first_group()), reader.offset(),
                   reader.obstacle().empty() ? "zeros where a frame should be" : reader.obstacle(),
                   Next(reader.at().position.group), behind.is_last ? durable : Group{}});
}

// To the next segment, which becomes current_ if it can be read at all. False: there is none.
Result<bool> JournalScrub::Enter(Group durable) {
  HAWSER_ASSIGN(const std::vector<Group> groups, ListSegments(folder_));
  if (next_ == Group{} && !groups.empty()) HAWSER_TRY(CheckBeginning(groups.front()));
  const auto found = std::lower_bound(groups.begin(), groups.end(), next_);
  // One without a durable group has nothing to be checked, and may be half made.
  if (found == groups.end() || *found > durable) return false;
  auto segment = SegmentCheck::Open(folder_, *found);
  if (segment) {
    if (found + 1 != groups.end()) segment->ForgetCached();
    current_ = *std::move(segment);
  } else if (segment.error().code == ENOENT) {
    next_ = Next(*found);  // dropped
  } else if (IsDamage(segment.error())) {
    Believe({SegmentName(*found), 0, segment.error().message, *found,
             found + 1 == groups.end() ? durable : Group((found + 1)->value - 1)});
    next_ = Next(*found);
  } else {
    return segment.error();
  }
  return true;
}

Result<JournalScrub::Behind> JournalScrub::BehindSegment(Group first) const {
  HAWSER_ASSIGN(const std::vector<Group> groups, ListSegments(folder_));
  const auto behind = std::upper_bound(groups.begin(), groups.end(), first);
  if (behind == groups.end()) return Behind{};
  const auto next = SegmentReader::Open(folder_, *behind);
  return Behind{false, next ? std::optional(next->header().before) : std::nullopt};
}

Status JournalScrub::CheckBeginning(Group oldest) {
  HAWSER_ASSIGN(const auto begin, ReadBegin(folder_));
  if (const auto missing = MissingBeginning(begin, oldest)) Believe(*missing);
  return {};
}

// What goes with its segments is no damage.
bool JournalScrub::WasDropped(const JournalFault& fault) const {
  const auto begin = ReadBegin(folder_);
  const Group last = fault.last == Group{} ? fault.first : fault.last;
  return begin && *begin && last <= (*begin)->position.group;
}

// current_ is done with, or begun once more.
Status JournalScrub::Leave(const std::optional<JournalFault>& fault) {
  const Group first = current_->reader().header().first_group();
  const bool again = fault && !second_;
  if (fault && second_ && !WasDropped(*fault)) Believe(*fault);
  current_->ForgetCached();
  current_.reset();
  second_ = again;
  next_ = again ? first : Next(first);
  return {};
}

void JournalScrub::Believe(const JournalFault& fault) {
  seen_[fault.segment] = fault;
  const auto [known, is_new] = known_.insert_or_assign(fault.segment, fault);
  if (!is_new) return;
  news_.found.push_back(fault);
  if (auto saved = Save(); !saved) log::warn("damage of the journal isn't noted: {}", saved.error().Text());
}

Status JournalScrub::EndRound() {
  next_ = Group{};
  second_ = false;
  for (const auto& [segment, fault] : known_) {
    if (!seen_.contains(segment)) news_.mended.push_back(fault);
  }
  const bool changed = known_ != seen_;
  known_ = std::exchange(seen_, {});
  return changed ? Save() : Status();
}

Status JournalScrub::Save() const {
  Packer out;
  out.Array(known_.size());
  for (const auto& [segment, fault] : known_) {
    out.Array(5).Text(fault.segment).Uint(fault.offset).Text(fault.what);
    out.Uint(fault.first.value).Uint(fault.last.value);
  }
  return WriteFileAtomically(DamagePath(folder_), std::string(AsText(out.Finish())));
}

}  // namespace hawser
