#include "common/journal/inspect.h"

#include <fmt/format.h>

#include <filesystem>

#include "common/journal/segment.h"
#include "tests/common/journal/journal_fixture.h"

namespace hawser::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InspectTest : public JournalTest {
 protected:
  void AppendPath(const std::string& path, std::size_t records) {
    const OwnedFrame frame(journal_->appended(), records, 10, path);
    ASSERT_TRUE(journal_->Append(frame.frame()));
    ASSERT_TRUE(journal_->Flush());
    progress_.push_back(frame.frame().header.progress());
  }
  std::vector<std::uint64_t> Shown(const RecordFilter& filter) {
    std::vector<std::uint64_t> sequences;
    const Status status = ShowJournal(options_.folder, filter, [&](const ShownRecord& shown) {
      sequences.push_back(shown.sequence.value);
      return true;
    });
    EXPECT_TRUE(status) << status.error().Text();
    return sequences;
  }
  CheckReport Check() {
    const auto report = CheckJournal(options_.folder);
    EXPECT_TRUE(report) << report.error().Text();
    return report ? *report : CheckReport{};
  }
};

TEST_F(InspectTest, ListTellsRangesBytesAndTimes) {
  Open();
  while (Segments().size() < 3) AppendGroup(2, 5000);
  const auto list = ListJournal(options_.folder);
  ASSERT_TRUE(list) << list.error().Text();
  ASSERT_EQ(list->size(), 3U);
  std::uint64_t groups = 0;
  for (const SegmentInfo& info : *list) {
    EXPECT_EQ(info.problem, "");
    EXPECT_EQ(info.first_group(), Group(groups + 1));
    EXPECT_EQ(info.first_sequence(), Sequence(groups * 2 + 1));
    EXPECT_EQ(info.records, info.groups * 2);
    groups += info.groups;
    EXPECT_EQ(info.end, progress_[groups - 1]);
    EXPECT_EQ(info.file_bytes, kSegment);
    EXPECT_LE(info.used_bytes, info.file_bytes);
    EXPECT_EQ(info.first_time, progress_[info.first_group().value - 1].time);
    EXPECT_EQ(info.name, SegmentName(info.first_group()));
  }
  EXPECT_EQ(groups, progress_.size());
}

TEST_F(InspectTest, ListNamesWhatIsWrong) {
  Open();
  while (Segments().size() < 3) AppendGroup(2, 5000);
  const Place last = PlaceOf(progress_.size() - 1);
  Close();
  ZeroFrom(last.path, last.end() - 10, last.end());
  CorruptByte(Segments()[1], 20);
  const auto list = ListJournal(options_.folder);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->at(0).problem, "");
  EXPECT_THAT(list->at(1).problem, HasSubstr("header"));
  // Only headers are looked at: whether the frame's records are whole is for the check to say.
  EXPECT_EQ(list->at(2).groups, 1U);
  ZeroFrom(last.path, last.slot + 60, last.end());
  EXPECT_THAT(ListJournal(options_.folder)->at(2).problem, HasSubstr("torn tail"));
}

TEST_F(InspectTest, ListOfAnUnfinishedSegmentSaysSo) {
  Open();
  AppendGroup();
  Close();
  WriteAll(options_.folder + "/" + SegmentName(Group(2)), "");
  const auto list = ListJournal(options_.folder);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->at(0).problem, "");
  EXPECT_THAT(list->at(1).problem, HasSubstr("unfinished"));
}

TEST_F(InspectTest, ShowFiltersBySequenceVolumeAndPath) {
  Open();
  AppendPath("a", 2);
  AppendPath("a/b", 2);
  AppendPath("ab", 1);
  RecordFilter filter;
  EXPECT_THAT(Shown(filter), ElementsAre(1, 2, 3, 4, 5));
  filter.from = Sequence(2);
  filter.to = Sequence(4);
  EXPECT_THAT(Shown(filter), ElementsAre(2, 3, 4));
  filter.volume = VolumeName("mail");
  EXPECT_THAT(Shown(filter), ElementsAre());
  filter.volume = VolumeName("docs");
  EXPECT_THAT(Shown(filter), ElementsAre(2, 3, 4));
  RecordFilter below;
  below.below = *StorePath::Parse("a");
  EXPECT_THAT(Shown(below), ElementsAre(1, 2, 3, 4));
  below.below = *StorePath::Parse("a/b");
  EXPECT_THAT(Shown(below), ElementsAre(3, 4));
}

TEST_F(InspectTest, ShowBeginsInTheSegmentOfTheFirstSequence) {
  Open();
  while (Segments().size() < 4) AppendGroup(2, 5000);
  const std::uint64_t records = progress_.size() * 2;
  for (std::uint64_t from = 1; from <= records; ++from) {
    RecordFilter filter;
    filter.from = Sequence(from);
    const auto shown = Shown(filter);
    ASSERT_EQ(shown.size(), records - from + 1);
    EXPECT_EQ(shown.front(), from);
  }
}

TEST_F(InspectTest, ShowGivesRecordAndPayload) {
  Open();
  AppendGroup(1, 100);
  int calls = 0;
  ASSERT_TRUE(ShowJournal(options_.folder, {}, [&](const ShownRecord& shown) {
    ++calls;
    EXPECT_EQ(shown.group, Group(1));
    EXPECT_EQ(shown.time, progress_[0].time);
    EXPECT_EQ(shown.payload.size(), 100U);
    EXPECT_EQ(std::get<Write>(shown.record.body).path.text(), "a/b");
    return false;
  }));
  EXPECT_EQ(calls, 1);
}

TEST_F(InspectTest, ShowFromADroppedSequenceSaysWhereItBegins) {
  Open();
  while (Segments().size() < 3) AppendGroup(2, 5000);
  ASSERT_TRUE(journal_->DropThrough(journal_->durable().position.group));
  RecordFilter filter;
  filter.from = Sequence(1);
  const Status status = ShowJournal(options_.folder, filter, [](const ShownRecord&) { return true; });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ENODATA);
  EXPECT_THAT(status.error().message,
              HasSubstr(fmt::format("{}", journal_->oldest().position.sequence.value + 1)));
}

TEST_F(InspectTest, CheckOfAWholeJournalCountsEverything) {
  Open();
  while (Segments().size() < 3) AppendGroup(2, 5000);
  const CheckReport report = Check();
  EXPECT_FALSE(report.damage);
  EXPECT_FALSE(report.torn_tail);
  EXPECT_EQ(report.segments, 3U);
  EXPECT_EQ(report.groups, progress_.size());
  EXPECT_EQ(report.records, progress_.size() * 2);
  EXPECT_EQ(report.end, progress_.back());
  EXPECT_EQ(report.file_bytes, 3 * kSegment);
  EXPECT_EQ(report.journal, progress_[0].position.journal);
}

TEST_F(InspectTest, CheckFindsEveryChangedByteOfAFrame) {
  Open();
  while (Segments().size() < 3) AppendGroup(2, 5000);
  const Place place = PlaceOf(2);
  for (std::uint64_t at = place.slot; at < place.end(); at += 61) {
    SCOPED_TRACE(at);
    CorruptByte(place.path, at);
    const CheckReport report = Check();
    ASSERT_TRUE(report.damage);
    EXPECT_EQ(options_.folder + "/" + report.damage->segment, place.path);
    EXPECT_EQ(report.damage->offset, place.slot);
    EXPECT_EQ(report.end, progress_[1]);
    CorruptByte(place.path, at);
  }
  EXPECT_FALSE(Check().damage);
}

TEST_F(InspectTest, CheckFindsBrokenLinksBetweenSegments) {
  Open();
  while (Segments().size() < 4) AppendGroup(2, 5000);
  Close();
  const auto segments = Segments();
  const auto groups = *ListSegments(options_.folder);
  const std::string good = ReadAll(segments[1]);
  CorruptByte(segments[1], 50);
  CheckReport report = Check();
  ASSERT_TRUE(report.damage);
  EXPECT_EQ(report.damage->segment, SegmentName(groups[1]));
  EXPECT_EQ(report.damage->offset, 0U);
  std::filesystem::remove(segments[1]);
  report = Check();
  ASSERT_TRUE(report.damage);
  EXPECT_EQ(report.damage->segment, SegmentName(groups[1]));  // the one that is missing
}

TEST_F(InspectTest, CheckWarnsOfATornTailAndChangesNothing) {
  Open();
  AppendGroups(3);
  const Place last = PlaceOf(2);
  Close();
  ZeroFrom(last.path, last.end() - 10, last.end());
  const std::string before = ReadAll(last.path);
  const CheckReport report = Check();
  EXPECT_FALSE(report.damage);
  ASSERT_TRUE(report.torn_tail);
  EXPECT_EQ(report.torn_tail->offset, last.slot);
  EXPECT_EQ(report.end, progress_[1]);
  EXPECT_GT(report.torn_bytes, 0U);
  EXPECT_EQ(ReadAll(last.path), before);
}

TEST_F(InspectTest, CheckWarnsOfAnUnfinishedSegmentAndOfATornTailBeforeIt) {
  Open();
  AppendGroups(3);
  const Place last = PlaceOf(2);
  Close();
  WriteAll(options_.folder + "/" + SegmentName(Group(4)), std::string(100, '\0'));
  CheckReport report = Check();
  EXPECT_FALSE(report.damage);
  EXPECT_EQ(report.unfinished_segment, SegmentName(Group(4)));
  EXPECT_EQ(report.groups, 3U);
}

TEST_F(InspectTest, CheckFindsRecordsThatCannotBeDecoded) {
  Open();
  AppendGroup();
  const Buffer garbage(10, std::byte{0xc1});
  const Frame frame = MakeFrame(journal_->appended(), Timestamp{1}, {{garbage, {}}});
  ASSERT_TRUE(journal_->Append(frame));
  const CheckReport report = Check();
  ASSERT_TRUE(report.damage);
  EXPECT_THAT(report.damage->what, HasSubstr("sequence 3"));
}

TEST_F(InspectTest, FolderWithoutAJournalIsNoEntry) {
  EXPECT_EQ(ListJournal(options_.folder).error().code, ENOENT);
  EXPECT_EQ(CheckJournal(options_.folder).error().code, ENOENT);
  EXPECT_EQ(ShowJournal(options_.folder, {}, {}).error().code, ENOENT);
}

}  // namespace
}  // namespace hawser::test
