// Appending, flushing, rolling, dropping, and failing.
#include "common/journal/journal.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "common/base/files.h"
#include "common/journal/segment.h"
#include "tests/common/journal/failing_disk.h"
#include "tests/common/journal/journal_fixture.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

using ::testing::HasSubstr;

TEST_F(JournalTest, NewOneBeginsWithARandomIdAndNothing) {
  Open();
  EXPECT_NE(report_.end.position.journal, JournalId{});
  EXPECT_EQ(report_.end.position.group, Group(0));
  EXPECT_EQ(report_.segments, 1U);
  EXPECT_EQ(journal_->appended(), report_.end);
  EXPECT_EQ(journal_->durable(), report_.end);
  EXPECT_EQ(journal_->oldest(), report_.end);
  EXPECT_TRUE(ReadGroups().empty());
}

TEST_F(JournalTest, NewOneContinuesFromTheGivenPosition) {
  start_.position = {JournalId::Random(), Sequence(500), Group(20), Digest{{std::byte{1}}}};
  start_.journal_bytes = 77;
  start_.time = Timestamp{5};
  Open();
  EXPECT_EQ(journal_->appended(), start_);
  AppendGroup();
  EXPECT_EQ(journal_->durable().position.group, Group(21));
  Open();
  EXPECT_EQ(journal_->oldest(), start_);
  EXPECT_EQ(journal_->appended(), progress_.back());
}

TEST_F(JournalTest, ReopenedOneHoldsWhatWasAppended) {
  Open();
  AppendGroups(5);
  const Progress end = journal_->durable();
  Open();
  EXPECT_EQ(report_.end, end);
  EXPECT_EQ(report_.torn_bytes, 0U);
  EXPECT_EQ(journal_->appended(), end);
  ExpectHolds(0, 5);
  AppendGroups(3);
  ExpectHolds(0, 8);
}

TEST_F(JournalTest, AppendedIsDurableOnlyAfterTheFlush) {
  Open();
  AppendUnflushed();
  AppendUnflushed();
  EXPECT_EQ(journal_->appended(), progress_[1]);
  EXPECT_EQ(journal_->durable().position.group, Group(0));
  ASSERT_TRUE(journal_->Flush());
  EXPECT_EQ(journal_->durable(), progress_[1]);
}

TEST_F(JournalTest, FlushWithNothingAppendedTouchesNoDisk) {
  const auto disk = std::make_shared<FailingDisk>();
  Open(disk);
  AppendGroup();
  const int flushes = disk->flushes();
  ASSERT_TRUE(journal_->Flush());
  EXPECT_EQ(disk->flushes(), flushes);
}

TEST_F(JournalTest, GroupOfManyRecordsIsMoreThanOneCallTakes) {
  Open();
  AppendGroup(3000, 10);
  AppendGroup();
  ExpectHolds(0, 2);
}

TEST_F(JournalTest, RecordsWithoutPayloadsAreKept) {
  Open();
  AppendGroup(1, 0);
  AppendGroup(3, 0);
  ExpectHolds(0, 2);
}

TEST_F(JournalTest, NewSegmentBeginsWhenTheNextFrameWouldGoPastTheOld) {
  Open();
  while (Segments().size() < 4) AppendGroup(2, 5000);
  const auto groups = ListSegments(options_.folder);
  EXPECT_EQ(groups->front(), Group(1));
  EXPECT_EQ(groups->back(), journal_->appended().position.group);
  EXPECT_EQ(journal_->bytes(), 4 * kSegment);
  for (const auto& path : Segments()) EXPECT_EQ(std::filesystem::file_size(path), kSegment);
  ExpectHolds(0, appended_.size());
  Open();
  EXPECT_EQ(report_.segments, 4U);
  ExpectHolds(0, appended_.size());
}

TEST_F(JournalTest, RollInABatchFlushesTheOldSegmentFirst) {
  Open();
  while (Segments().size() < 2) AppendUnflushed(2, 5000);
  EXPECT_EQ(journal_->durable(), progress_[progress_.size() - 2]);
  EXPECT_EQ(journal_->appended(), progress_.back());
}

TEST_F(JournalTest, FrameLargerThanASegmentGetsOneOfItsOwn) {
  Open();
  AppendGroup();
  AppendGroup(3, 40'000);
  AppendGroup();
  EXPECT_EQ(Segments().size(), 3U);
  EXPECT_GT(std::filesystem::file_size(Segments()[1]), kSegment);
  ExpectHolds(0, 3);
  Open();
  ExpectHolds(0, 3);
}

TEST_F(JournalTest, FirstFrameLargerThanASegmentMakesItGrow) {
  Open();
  AppendGroup(3, 40'000);
  EXPECT_EQ(Segments().size(), 1U);
  EXPECT_EQ(journal_->bytes(), std::filesystem::file_size(Segments()[0]));
  AppendGroup();
  ExpectHolds(0, 2);
}

TEST_F(JournalTest, SegmentsOfAnotherSizeGoOn) {
  Open();
  AppendGroups(3);
  options_.segment_bytes = 2 * kSegment;
  Open();
  EXPECT_EQ(journal_->bytes(), 2 * kSegment);
  AppendGroups(3);
  ExpectHolds(0, 6);
}

TEST_F(JournalTest, RoomBehindSmallFramesIsWrittenAhead) {
  options_.segment_bytes = 4 * kMiB;
  Open();
  AppendGroup();
  struct stat info {};
  ASSERT_EQ(::stat(Segments()[0].c_str(), &info), 0);
  EXPECT_EQ(static_cast<std::uint64_t>(info.st_size), 4 * kMiB);
  for (int i = 0; i < 50; ++i) AppendGroup(20, 2000);
  Open();
  EXPECT_EQ(report_.torn_bytes, 0u) << "zeros written ahead are no torn frame";
  ExpectHolds(0, appended_.size());
  AppendGroup(2, 500'000);
  AppendGroups(5);
  ExpectHolds(0, appended_.size());
}

TEST_F(JournalTest, DropRemovesOnlySegmentsWhollyAtOrBeforeTheGroup) {
  Open();
  while (Segments().size() < 4) AppendGroup(2, 5000);
  const auto groups = *ListSegments(options_.folder);
  ASSERT_TRUE(journal_->DropThrough(Group(groups[2].value - 2)));
  EXPECT_EQ(*ListSegments(options_.folder), (std::vector<Group>{groups[1], groups[2], groups[3]}));
  ASSERT_TRUE(journal_->DropThrough(Group(groups[2].value - 1)));
  EXPECT_EQ(*ListSegments(options_.folder), (std::vector<Group>{groups[2], groups[3]}));
  EXPECT_EQ(journal_->oldest(), progress_[groups[2].value - 2]);
  EXPECT_EQ(journal_->bytes(), 2 * kSegment);
  ASSERT_TRUE(journal_->DropThrough(Group(UINT64_MAX)));
  EXPECT_EQ(*ListSegments(options_.folder), (std::vector<Group>{groups[3]}));
  AppendGroup();
  Open();
  ExpectHolds(groups[3].value - 1, appended_.size() - groups[3].value + 1);
}

TEST_F(JournalTest, SecondOpenerIsRefusedNamingTheFolder) {
  Open();
  RecoveryReport report;
  const auto second = OpenJournal(options_, Progress{}, report);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EBUSY);
  EXPECT_THAT(second.error().message, HasSubstr(options_.folder));
  Close();
  EXPECT_TRUE(OpenJournal(options_, Progress{}, report));
}

TEST_F(JournalTest, ExistsOnceItHasASegment) {
  EXPECT_FALSE(*JournalExists(options_.folder));
  std::filesystem::create_directories(options_.folder);
  EXPECT_FALSE(*JournalExists(options_.folder));
  Open();
  EXPECT_TRUE(*JournalExists(options_.folder));
}

TEST_F(JournalTest, SeveralFramesAtOnceAreThereAsIfOneByOne) {
  Open();
  AppendGroup();
  for (const std::size_t payload : {1U, 100U, 5000U, 40'000U}) {
    ASSERT_TRUE(AppendTogether(3, payload));
    ASSERT_TRUE(journal_->Flush());
    AppendGroup();
  }
  EXPECT_GT(Segments().size(), 2U);
  ExpectHolds(0, appended_.size());
  Open();
  EXPECT_EQ(report_.torn_bytes, 0U);
  ExpectHolds(0, appended_.size());
}

TEST_F(JournalTest, OfSeveralFramesThatDoNotFollowNoneIsAppended) {
  Open();
  const OwnedFrame first(journal_->appended(), 1, 10);
  const OwnedFrame again(journal_->appended(), 1, 10);
  const std::vector<const Frame*> frames{&first.frame(), &again.frame()};
  const JournalStatus refused = journal_->Append(frames);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.why(), JournalFailure::kFailed);
  EXPECT_TRUE(ReadGroups().empty());
}

TEST_F(JournalTest, WithoutRoomForAllOfSeveralFramesNoneIsAppended) {
  const auto disk = std::make_shared<FailingDisk>();
  Open(disk);
  AppendGroups(2);
  disk->FailFrom(FailingDisk::Operation::kAllocate, 0, EDQUOT);
  const JournalStatus full = AppendTogether(3, 20'000);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.why(), JournalFailure::kNoRoom);
  EXPECT_EQ(journal_->appended(), progress_.back());
  disk->Heal();
  ASSERT_TRUE(AppendTogether(3, 20'000));
  ASSERT_TRUE(journal_->Flush());
  ExpectHolds(0, 5);
}

TEST_F(JournalTest, WithoutADescriptorForTheNextSegmentNothingIsAppendedAndLaterItIs) {
  const auto disk = std::make_shared<FailingDisk>();
  Open(disk);
  AppendGroups(2);
  for (const auto at : {FailingDisk::Operation::kAllocate, FailingDisk::Operation::kFlushFolder}) {
    disk->FailFrom(at, 0, EMFILE);
    const JournalStatus refused = AppendTogether(3, 20'000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.why(), JournalFailure::kNoDescriptors);
    EXPECT_EQ(journal_->appended(), progress_.back());
  }
  disk->Heal();
  ASSERT_TRUE(AppendTogether(3, 20'000));
  ASSERT_TRUE(journal_->Flush());
  ExpectHolds(0, 5);
}

TEST_F(JournalTest, AReaderIsHadFromTheJournalItself) {
  Open();
  AppendGroups(3);
  const auto reader = journal_->OpenReader(progress_[1].position);
  ASSERT_TRUE(reader) << reader.error().Text();
  const auto frame = (*reader)->Next(journal_->durable().position.group);
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->header.progress(), progress_[2]);
}

TEST_F(JournalTest, FrameThatDoesNotFollowIsRefusedAndPoisons) {
  Open();
  AppendGroup();
  const OwnedFrame skipping(
      Progress{{journal_->appended().position.journal, Sequence(9), Group(9), {}}, 0, {}}, 1, 5);
  const Status refused = journal_->Append(skipping.frame());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EBADMSG);
  const OwnedFrame good(journal_->appended(), 1, 5);
  const Status poisoned = journal_->Append(good.frame());
  ASSERT_FALSE(poisoned);
  EXPECT_EQ(poisoned.error().message, refused.error().message);
}

// Each operation in turn fails at each place of a run that rolls; whatever fails first poisons.
class FailingJournalTest : public JournalTest,
                           public ::testing::WithParamInterface<FailingDisk::Operation> {};

INSTANTIATE_TEST_SUITE_P(Each, FailingJournalTest,
                         ::testing::Values(FailingDisk::Operation::kWrite, FailingDisk::Operation::kFlush,
                                           FailingDisk::Operation::kFlushFolder));

TEST_P(FailingJournalTest, PoisonsForeverAndReopensWithAllThatWasDurable) {
  for (int after = 0; after < 12; ++after) {
    SCOPED_TRACE(after);
    options_.folder = dir_ / ("journal-" + std::to_string(after));
    appended_.clear();
    progress_.clear();
    const auto disk = std::make_shared<FailingDisk>();
    Open(disk);
    AppendGroup();
    // That a disk is full is then no better than any other failure.
    disk->FailFrom(GetParam(), after, after % 2 == 0 ? EIO : ENOSPC);
    Status failed;
    for (int i = 0; i < 100 && failed; ++i) {
      const OwnedFrame frame(journal_->appended(), 2, 9000);
      failed = journal_->Append(frame.frame());
      if (failed) failed = journal_->Flush();
      if (failed) appended_.push_back(frame.AsBytes());
    }
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, EIO);
    const Progress durable = journal_->durable();
    EXPECT_EQ(durable.position.group, Group(appended_.size()));

    disk->Heal();
    const OwnedFrame next(journal_->appended(), 1, 10);
    const Status append = journal_->Append(next.frame());
    ASSERT_FALSE(append);
    EXPECT_EQ(append.error().Text(), failed.error().Text());
    const Status flush = journal_->Flush();
    ASSERT_FALSE(flush);
    EXPECT_EQ(flush.error().Text(), failed.error().Text());
    EXPECT_EQ(journal_->durable(), durable);

    Open();
    // What was appended but not flushed may have survived.
    EXPECT_GE(report_.end.position.group, durable.position.group);
    EXPECT_LE(report_.end.position.group, Next(durable.position.group));
    const auto groups = ReadGroups();
    ASSERT_GE(groups.size(), appended_.size());
    EXPECT_TRUE(std::equal(appended_.begin(), appended_.end(), groups.begin()));
    appended_ = groups;
    AppendGroups(2);
    ExpectHolds(0, appended_.size());
  }
}

TEST_F(JournalTest, DiskWithoutRoomForASegmentLeavesTheJournalAsItIs) {
  const auto disk = std::make_shared<FailingDisk>();
  Open(disk);
  AppendGroups(2);
  disk->FailFrom(FailingDisk::Operation::kAllocate, 0, ENOSPC);
  Status full;
  while (full) {
    const OwnedFrame frame(journal_->appended(), 2, 9000);
    full = journal_->Append(frame.frame());
    if (full) full = journal_->Flush();
    if (full) appended_.push_back(frame.AsBytes());
  }
  EXPECT_EQ(full.error().code, ENOSPC);
  EXPECT_EQ(journal_->appended(), journal_->durable());
  EXPECT_FALSE(journal_->Append(OwnedFrame(journal_->appended(), 2, 9000).frame())) << "it is full still";
  disk->Heal();
  AppendGroups(3);
  const std::size_t all = appended_.size();
  Open();
  EXPECT_EQ(report_.torn_bytes, 0u);
  ExpectHolds(0, all);
}

TEST_F(JournalTest, OneThatIsErasedCanBeginAnewElsewhere) {
  Open();
  for (int i = 0; i < 10; ++i) AppendGroup(2, 9000);
  ASSERT_GT(Segments().size(), 2u);
  const Progress end = journal_->durable();
  Close();
  ASSERT_OK(EraseJournal(options_));
  ASSERT_OK(EraseJournal(options_));  // there is none any more
  EXPECT_FALSE(*JournalExists(options_.folder));
  start_ = end;
  Open();
  EXPECT_EQ(journal_->oldest(), end);
  AppendGroup();
  Open();
  EXPECT_TRUE(report_.damage.empty());
  ExpectHolds(10, 1);
}

TEST_F(JournalTest, OneThatIsErasedHalfwayIsABeginningOfWhatItWas) {
  Open();
  for (int i = 0; i < 10; ++i) AppendGroup(2, 9000);
  const std::size_t segments = Segments().size();
  Close();
  const auto disk = std::make_shared<FailingDisk>();
  disk->FailFrom(FailingDisk::Operation::kFlushFolder, 0, EIO);
  options_.disk = disk;
  EXPECT_FALSE(EraseJournal(options_));
  EXPECT_EQ(Segments().size(), segments - 1);
  Open();
  EXPECT_TRUE(report_.damage.empty());
  const auto left = ReadGroups();
  ASSERT_LT(left.size(), 10u);
  EXPECT_TRUE(std::equal(left.begin(), left.end(), appended_.begin()));
}

TEST_F(JournalTest, FailureWhileBeginningIsReportedAndTheNextOpenBegins) {
  for (const auto operation : {FailingDisk::Operation::kAllocate, FailingDisk::Operation::kWrite,
                               FailingDisk::Operation::kFlush, FailingDisk::Operation::kFlushFolder}) {
    const auto disk = std::make_shared<FailingDisk>();
    disk->FailFrom(operation, 0, EIO);
    const Status failed = TryOpen(disk);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, EIO);
  }
  Open();
  AppendGroup();
  ExpectHolds(0, 1);
}

}  // namespace
}  // namespace hawser::test
