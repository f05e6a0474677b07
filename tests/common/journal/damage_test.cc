// Damage in a journal's older segments: each kind of it is found by the scrub and by CheckJournal, with its
// place, what shows in headers and sizes when the journal is opened; readers never give out what isn't whole;
// and the journal goes on.
#include <fmt/format.h>

#include <filesystem>

#include "common/journal/begin.h"
#include "common/journal/inspect.h"
#include "common/journal/scrub.h"
#include "common/journal/segment.h"
#include "tests/common/journal/journal_fixture.h"

namespace hawser::test {
namespace {

using ::testing::HasSubstr;

class DamageTest : public JournalTest {
 protected:
  // Five segments of several groups.
  DamageTest() {
    options_.segment_bytes = 16 * kKiB;
    Open();
    while (Segments().size() < 5) AppendGroup(2, 1500);
    AppendGroup(2, 1500);
    groups_ = *ListSegments(options_.folder);
  }

  std::string PathOf(std::size_t index) const { return options_.folder + "/" + SegmentName(groups_[index]); }
  // A group in the middle of the index-th segment.
  Place Middle(std::size_t index) const { return PlaceOf(groups_[index].value); }

  std::vector<JournalFault> Scrub(std::uint64_t step = UINT64_MAX) {
    JournalScrub scrub(options_.folder);
    Round(scrub, step);
    return scrub.faults();
  }
  void Round(JournalScrub& scrub, std::uint64_t step = UINT64_MAX) {
    for (;;) {
      const auto ended = scrub.Step(step, progress_.back().position.group);
      ASSERT_TRUE(ended) << ended.error().Text();
      if (*ended) return;
    }
  }

  void ExpectFault(const JournalFault& fault, const std::string& segment, std::uint64_t offset, Group first,
                   Group last) {
    EXPECT_EQ(fault.segment, segment) << fault.what;
    EXPECT_EQ(fault.offset, offset) << fault.what;
    EXPECT_EQ(fault.first, first) << fault.what;
    EXPECT_EQ(fault.last, last) << fault.what;
  }
  // By the scrub, in steps of any size, and by the check.
  void ExpectFound(const std::string& segment, std::uint64_t offset, Group first, Group last) {
    for (const std::uint64_t step : {std::uint64_t{1}, std::uint64_t{UINT64_MAX}}) {
      const auto found = Scrub(step);
      ASSERT_EQ(found.size(), 1U);
      ExpectFault(found[0], segment, offset, first, last);
    }
    const auto report = CheckJournal(options_.folder);
    ASSERT_TRUE(report) << report.error().Text();
    const auto& fault = report->damage ? report->damage : report->missing_beginning;
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->segment, segment);
    EXPECT_EQ(fault->offset, offset);
  }
  // The journal opens, says so, and goes on; what is whole can be read.
  void ExpectOpensSaying(const std::string& segment) {
    Open();
    ASSERT_TRUE(journal_);
    ASSERT_EQ(report_.damage.size(), 1U);
    EXPECT_EQ(report_.damage[0].segment, segment);
    ExpectGoesOn();
  }
  void ExpectGoesOn() {
    const Position last = progress_.back().position;
    AppendGroup(2, 1500);
    auto reader = journal_->OpenReader(last);
    ASSERT_TRUE(reader) << reader.error().Text();
    const auto frame = (*reader)->Next(progress_.back().position.group);
    ASSERT_TRUE(frame) << frame.error().Text();
    ASSERT_TRUE(*frame);
    EXPECT_EQ((*frame)->header.group, Next(last.group));
  }
  // Read from the beginning, the groups before `group` are all there, and then damage is named.
  void ExpectReadTo(Group group, const std::string& segment) {
    auto reader = OpenJournalReader(options_.folder, Position{});
    ASSERT_TRUE(reader) << reader.error().Text();
    for (;;) {
      const auto bytes = (*reader)->NextBytes(progress_.back().position.group, 1);
      if (!bytes) {
        EXPECT_EQ((*reader)->at().position.group.value + 1, group.value);
        EXPECT_EQ(bytes.error().code, EBADMSG);
        EXPECT_THAT(bytes.error().message, HasSubstr(segment));
        return;
      }
      const Group read = (*reader)->at().position.group;
      ASSERT_LT(read, group);
      ASSERT_EQ(*bytes, appended_[read.value - 1]);
    }
  }
  Group LastOf(std::size_t index) const { return Group(groups_[index + 1].value - 1); }
  // The fault begins at this place's group, and all up to the next segment can't be read.
  void ExpectFoundAt(const Place& place, std::size_t index, Group group) {
    ExpectFound(SegmentName(groups_[index]), place.slot, group, LastOf(index));
    ExpectReadTo(group, SegmentName(groups_[index]));
  }

  std::vector<Group> groups_;
};

TEST_F(DamageTest, OfAWholeJournalNothingIsSaid) {
  EXPECT_TRUE(Scrub(1).empty());
  Open();
  EXPECT_TRUE(report_.damage.empty());
  EXPECT_TRUE(Scrub().empty());
  ASSERT_TRUE(journal_->DropThrough(groups_[3]));
  EXPECT_TRUE(Scrub().empty());
  Open();
  EXPECT_TRUE(report_.damage.empty());
  const auto report = CheckJournal(options_.folder);
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->damage);
  EXPECT_FALSE(report->missing_beginning);
  EXPECT_EQ(report->oldest, journal_->oldest());
}

TEST_F(DamageTest, AFlippedBitInAnOldSegmentIsFoundWhereverItIs) {
  const Place place = Middle(1);
  const Group group = Next(groups_[1]);
  for (const std::uint64_t at :
       {place.slot + 2, place.slot + 9,                           // the stamp
        place.slot + kStampBytes, place.slot + kStampBytes + 30,  // the frame's header
        place.slot + kStampBytes + kFrameHeaderBytes + 2,         // sizes
        place.end() - 100}) {                                     // a payload
    SCOPED_TRACE(at - place.slot);
    CorruptByte(place.path, at);
    ExpectFoundAt(place, 1, group);
    CorruptByte(place.path, at);
  }
  EXPECT_TRUE(Scrub().empty());
}

TEST_F(DamageTest, ABrokenHeaderOfAnOldSegmentIsSaidAtTheStart) {
  for (const std::uint64_t at : {0, 4, 6, 50, 90}) {  // magic, version, size, journal, digest
    SCOPED_TRACE(at);
    Close();
    CorruptByte(PathOf(1), at);
    ExpectFound(SegmentName(groups_[1]), 0, groups_[1], LastOf(1));
    ExpectReadTo(groups_[1], SegmentName(groups_[1]));
    ExpectOpensSaying(SegmentName(groups_[1]));
    CorruptByte(PathOf(1), at);
  }
}

TEST_F(DamageTest, ABrokenHeaderOfTheFirstSegmentIsSaidAtTheStart) {
  Close();
  CorruptByte(PathOf(0), 50);
  ExpectFound(SegmentName(groups_[0]), 0, groups_[0], LastOf(0));
  ExpectOpensSaying(SegmentName(groups_[0]));
  auto oldest = journal_->OpenReader(Position{});
  ASSERT_TRUE(oldest) << oldest.error().Text();
  EXPECT_EQ((*oldest)->at(), progress_[groups_[1].value - 2]);
}

TEST_F(DamageTest, AMissingSegmentIsNamedAtTheStart) {
  Close();
  for (const std::size_t index : {std::size_t{1}, std::size_t{3}}) {
    SCOPED_TRACE(index);
    const std::string content = ReadAll(PathOf(index));
    std::filesystem::remove(PathOf(index));
    ExpectFound(SegmentName(groups_[index]), 0, groups_[index], LastOf(index));
    ExpectReadTo(groups_[index], SegmentName(groups_[index]));
    ExpectOpensSaying(SegmentName(groups_[index]));
    Close();
    WriteAll(PathOf(index), content);
    EXPECT_TRUE(Scrub().empty());
  }
}

TEST_F(DamageTest, AMissingFirstSegmentIsNamedAtTheStart) {
  Close();
  std::filesystem::remove(PathOf(0));
  ExpectFound(SegmentName(Group(1)), 0, Group(1), LastOf(0));
  ExpectOpensSaying(SegmentName(Group(1)));
  EXPECT_EQ(journal_->oldest(), progress_[groups_[1].value - 2]);
}

TEST_F(DamageTest, AMissingFirstSegmentOfAJournalThatWasCutIsNamed) {
  ASSERT_TRUE(journal_->DropThrough(LastOf(1)));
  Close();
  std::filesystem::remove(PathOf(2));
  ExpectFound(SegmentName(groups_[2]), 0, groups_[2], LastOf(2));
  ExpectOpensSaying(SegmentName(groups_[2]));
}

TEST_F(DamageTest, ATruncatedSegmentIsNamedAtTheStart) {
  Close();
  const Place place = Middle(1);
  CutFile(place.path, place.slot + 200);
  ExpectFoundAt(place, 1, Next(groups_[1]));
  ExpectOpensSaying(SegmentName(groups_[1]));
}

TEST_F(DamageTest, ATruncatedSegmentThatEndsWithAFrameIsNamedToo) {
  Close();
  const Place place = Middle(1);
  CutFile(place.path, place.slot);
  const auto found = Scrub();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].what, HasSubstr(SegmentName(groups_[1]) + " was cut off"));
  EXPECT_EQ(found[0].first, Next(groups_[1]));
  EXPECT_EQ(found[0].last, LastOf(1));
}

TEST_F(DamageTest, ZerosInAnOldSegmentAreFound) {
  const Place place = Middle(1);
  ZeroFrom(place.path, place.slot, options_.segment_bytes);
  ExpectFoundAt(place, 1, Next(groups_[1]));
}

TEST_F(DamageTest, SwappedSegmentsAreNamed) {
  Close();
  const std::string one = ReadAll(PathOf(1));
  WriteAll(PathOf(1), ReadAll(PathOf(2)));
  WriteAll(PathOf(2), one);
  const auto found = Scrub();
  ASSERT_EQ(found.size(), 2U);
  ExpectFault(found[0], SegmentName(groups_[1]), 0, groups_[1], LastOf(1));
  ExpectFault(found[1], SegmentName(groups_[2]), 0, groups_[2], LastOf(2));
  EXPECT_THAT(found[0].what, HasSubstr(fmt::format("that of group {}", groups_[2].value)));
  Open();
  ASSERT_TRUE(journal_);
  EXPECT_EQ(report_.damage.size(), 2U);
  ExpectGoesOn();
}

TEST_F(DamageTest, AFlippedBitInTheLastSegmentIsFoundByTheScrub) {
  const Place place = PlaceOf(groups_[4].value - 1);
  CorruptByte(place.path, place.slot + 300);
  const auto found = Scrub();
  ASSERT_EQ(found.size(), 1U);
  ExpectFault(found[0], SegmentName(groups_[4]), place.slot, groups_[4], progress_.back().position.group);
}

TEST_F(DamageTest, WhatWasFoundIsKnownOverARestartUntilItIsMended) {
  const Place place = Middle(1);
  CorruptByte(place.path, place.slot + 300);
  {
    JournalScrub scrub(options_.folder);
    Round(scrub);
    EXPECT_EQ(scrub.TakeNews().found.size(), 1U);
    Round(scrub);
    EXPECT_TRUE(scrub.TakeNews().found.empty());
    EXPECT_EQ(scrub.faults().size(), 1U);
  }
  JournalScrub scrub(options_.folder);
  scrub.Recall();
  EXPECT_EQ(scrub.faults().size(), 1U);
  CorruptByte(place.path, place.slot + 300);
  Round(scrub);
  EXPECT_TRUE(scrub.faults().empty());
  EXPECT_EQ(scrub.TakeNews().mended.size(), 1U);
  JournalScrub later(options_.folder);
  later.Recall();
  EXPECT_TRUE(later.faults().empty());
}

// A disk, or memory, that errs once.
TEST_F(DamageTest, WhatIsWholeAtTheSecondLookIsNoDamage) {
  const Place place = Middle(0);
  JournalScrub scrub(options_.folder);
  CorruptByte(place.path, place.slot + 300);
  ASSERT_TRUE(scrub.Step(UINT64_MAX, progress_.back().position.group));
  CorruptByte(place.path, place.slot + 300);
  Round(scrub);
  EXPECT_TRUE(scrub.faults().empty());
  EXPECT_TRUE(scrub.TakeNews().found.empty());
}

TEST_F(DamageTest, WhatIsDroppedMeanwhileIsNoDamage) {
  JournalScrub scrub(options_.folder);
  const Group end = progress_.back().position.group;
  ASSERT_TRUE(scrub.Step(1, end));
  ASSERT_TRUE(journal_->DropThrough(LastOf(2)));
  Round(scrub, 1);
  Round(scrub, 1);
  EXPECT_TRUE(scrub.faults().empty());
}

TEST_F(DamageTest, WhatIsAppendedMeanwhileIsNoDamage) {
  JournalScrub scrub(options_.folder);
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(scrub.Step(1000, progress_.back().position.group));
    AppendGroup(2, 1500);
    AppendUnflushed(2, 1500);
    ASSERT_TRUE(scrub.Step(1000, journal_->durable().position.group));
    ASSERT_TRUE(journal_->Flush());
  }
  EXPECT_TRUE(scrub.faults().empty());
}

}  // namespace
}  // namespace hawser::test
