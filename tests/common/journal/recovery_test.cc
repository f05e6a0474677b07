// The crash table of common/journal/recovery.h, row by row, and damage that no crash explains.
#include "common/journal/recovery.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "common/base/files.h"
#include "common/journal/begin.h"
#include "common/journal/inspect.h"
#include "common/journal/segment.h"
#include "tests/common/journal/failing_disk.h"
#include "tests/common/journal/journal_fixture.h"

namespace hawser::test {
namespace {

using ::testing::HasSubstr;

class RecoveryTest : public JournalTest {
 protected:
  // Small, so that every byte can be tried.
  RecoveryTest() { options_.segment_bytes = 8 * kKiB; }

  void ExpectDamage(const std::string& segment, std::uint64_t offset) {
    const Status opened = TryOpen();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, EBADMSG) << opened.error().Text();
    EXPECT_THAT(opened.error().message, HasSubstr(segment));
    EXPECT_THAT(opened.error().message, HasSubstr(fmt::format("offset {}", offset)));
  }
  // Opens after a crash: `groups` are left; the journal goes on, and a second opening finds nothing more to
  // do.
  void ExpectRecovers(std::size_t groups) {
    Open();
    ASSERT_TRUE(journal_);
    ASSERT_EQ(report_.end.position.group, Group(groups));
    appended_.resize(groups);
    progress_.resize(groups);
    ExpectHolds(0, groups);
    const RecoveryReport first = report_;
    Open();
    EXPECT_EQ(report_.end, first.end);
    EXPECT_EQ(report_.segments, first.segments);
    EXPECT_EQ(report_.torn_bytes, 0U);
    EXPECT_TRUE(report_.unfinished_segment.empty());
    AppendGroup(2, 40);
    ExpectHolds(0, groups + 1);
    Close();
  }
  // Two groups that are flushed and two, of payloads of so many bytes, that aren't: where those lie.
  std::pair<Place, Place> LeaveTwoUnflushed(std::size_t payload) {
    Open();
    AppendGroups(2);
    AppendUnflushed(2, payload);
    AppendUnflushed(2, payload);
    const std::pair places(PlaceOf(2), PlaceOf(3));
    Close();
    return places;
  }
  void Restore(const std::string& path, const std::string& content) {
    Close();
    WriteAll(path, content);
  }
};

// ---- creating segments

TEST_F(RecoveryTest, CrashBeforeTheFirstSegmentBeginsTheJournal) {
  std::filesystem::create_directories(options_.folder);
  std::ofstream(options_.folder + "/lock") << "";
  ExpectRecovers(0);
}

TEST_F(RecoveryTest, CrashWhileCreatingTheFirstSegmentBeginsTheJournal) {
  Open();
  Close();
  const std::string path = Segments()[0];
  const std::string whole = ReadAll(path);
  const std::string zeros(whole.size(), '\0');
  std::vector<std::string> remains;
  for (std::size_t header_bytes = 0; header_bytes < kSegmentDigestOffset + sizeof(Digest); ++header_bytes) {
    remains.push_back(whole.substr(0, header_bytes));
    remains.push_back(whole.substr(0, header_bytes) + zeros.substr(header_bytes));
  }
  for (const std::string& left : remains) {
    Restore(path, left);
    EXPECT_FALSE(*JournalExists(options_.folder));
    Open();
    EXPECT_EQ(report_.unfinished_segment, path);
    EXPECT_EQ(report_.end.position.group, Group(0));
    AppendGroup();
    ExpectHolds(appended_.size() - 1, 1);
  }
}

TEST_F(RecoveryTest, CrashWhileCreatingALaterSegmentGoesOnInTheOneBefore) {
  for (std::size_t header_bytes = 0; header_bytes < kSegmentDigestOffset + sizeof(Digest); ++header_bytes) {
    for (const bool allocated : {false, true}) {
      if (header_bytes > 0 && !allocated) continue;
      options_.folder = dir_ / fmt::format("journal-{}-{}", header_bytes, allocated);
      appended_.clear(), progress_.clear();
      Open();
      AppendGroups(3);
      const std::string path = options_.folder + "/" + SegmentName(Group(4));
      const Buffer header = EncodeSegmentHeader({journal_->appended(), Now()});
      std::string left(AsText(header).substr(0, header_bytes));
      if (allocated) left.resize(options_.segment_bytes);
      Restore(path, left);
      Open();
      EXPECT_EQ(report_.unfinished_segment, path);
      EXPECT_EQ(report_.segments, 1U);
      ExpectRecovers(3);
    }
  }
}

TEST_F(RecoveryTest, CrashAfterCreatingASegmentGoesOnInIt) {
  Open();
  AppendGroups(3);
  const Buffer header = EncodeSegmentHeader({journal_->appended(), Now()});
  std::string content(AsText(header));
  content.resize(options_.segment_bytes);
  Restore(options_.folder + "/" + SegmentName(Group(4)), content);
  ExpectRecovers(3);
  EXPECT_EQ(ParseSegmentName(std::filesystem::path(PlaceOf(3).path).filename().native()), Group(4));
}

TEST_F(RecoveryTest, UnfinishedSegmentAloneThatIsNotTheFirstIsDamage) {
  Open();
  while (Segments().size() < 2) AppendGroup(1, 1000);
  ASSERT_TRUE(journal_->DropThrough(Group(UINT64_MAX)));
  const std::string path = Segments()[0];
  Restore(path, std::string(options_.segment_bytes, '\0'));
  ExpectDamage(path, 0);
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(RecoveryTest, BrokenHeaderBeforeFramesIsDamageAndNothingIsRemoved) {
  Open();
  AppendGroup();
  Close();
  const std::string path = Segments()[0];
  for (const std::uint64_t offset : {0U, 8U, 40U, 95U, 4000U}) {
    const std::string good = ReadAll(path);
    CorruptByte(path, offset);
    const Status opened = TryOpen();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, EBADMSG);
    EXPECT_THAT(opened.error().message, HasSubstr(path));
    Restore(path, good);
  }
  ExpectRecovers(1);
}

TEST_F(RecoveryTest, SegmentOfANewerVersionIsLeftAlone) {
  Open();
  Close();
  const std::string path = Segments()[0];
  CorruptByte(path, 4);
  const std::string newer = ReadAll(path);
  const Status opened = TryOpen();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ENOTSUP);
  EXPECT_THAT(opened.error().message, HasSubstr("version"));
  EXPECT_EQ(ReadAll(path), newer);
}

// ---- appending

TEST_F(RecoveryTest, TornAtAnyByteOfTheLastFrameIsCut) {
  Open();
  AppendGroups(3);
  const Place last = PlaceOf(2);
  Close();
  const std::string good = ReadAll(last.path);
  for (std::uint64_t at = last.slot; at < last.end(); ++at) {
    SCOPED_TRACE(at);
    std::string torn = good;
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(at), torn.end(), '\0');
    Restore(last.path, torn);
    Open();
    ASSERT_EQ(report_.end, progress_[1]);
    EXPECT_LE(report_.torn_bytes, at - last.slot);
    if (at > last.slot + 8) {
      EXPECT_GT(report_.torn_bytes, 0U);
    }
    if (report_.torn_bytes > 0) {
      EXPECT_EQ(report_.torn_segment, last.path);
      EXPECT_EQ(report_.torn_offset, last.slot);
    }
    Close();
    EXPECT_EQ(ReadAll(last.path), good.substr(0, last.slot) + std::string(good.size() - last.slot, '\0'));
  }
  Restore(last.path, good.substr(0, last.slot + 60));
  ExpectRecovers(2);
}

TEST_F(RecoveryTest, TornAtAnyByteOfSeveralFramesAtOnceKeepsTheWholeOnesBefore) {
  Open();
  AppendGroup();
  ASSERT_TRUE(AppendTogether(3, 10));
  const std::vector<Place> places{PlaceOf(1), PlaceOf(2), PlaceOf(3)};
  Close();
  const std::string good = ReadAll(places[0].path);
  for (std::uint64_t at = places[0].slot; at < places[2].end(); ++at) {
    SCOPED_TRACE(at);
    std::string torn = good;
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(at), torn.end(), '\0');
    Restore(places[0].path, torn);
    Open();
    // Zeros may be what a frame ends with.
    std::size_t whole = 1;
    for (const Place& place : places) whole += place.end() <= at ? 1 : 0;
    ASSERT_GE(report_.end.position.group, Group(whole));
    ASSERT_LE(report_.end.position.group, Group(whole + 1));
    ASSERT_EQ(report_.end, progress_[report_.end.position.group.value - 1]);
    Close();
  }
}

TEST_F(RecoveryTest, FileEndingAtAnyByteOfTheLastFrameIsCut) {
  Open();
  AppendGroups(3);
  const Place last = PlaceOf(2);
  Close();
  const std::string good = ReadAll(last.path);
  for (std::uint64_t at = last.slot; at < last.end(); ++at) {
    SCOPED_TRACE(at);
    Restore(last.path, good.substr(0, at));
    Open();
    ASSERT_EQ(report_.end, progress_[1]);
    EXPECT_LE(report_.torn_bytes, at - last.slot);  // zeros at its end are no remains
  }
  Close();
  Restore(last.path, good.substr(0, last.end()));
  ExpectRecovers(3);
}

TEST_F(RecoveryTest, WholeFrameThatWasNotFlushedIsKept) {
  Open();
  AppendGroup();
  AppendUnflushed();
  AppendUnflushed();
  ExpectRecovers(3);
}

// A power cut keeps any of the sectors written since the last flush.
TEST_F(RecoveryTest, PowerCutInABatchKeepsTheFramesThatFollow) {
  options_.segment_bytes = 64 * kKiB;
  const auto seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  Open();
  AppendGroup(2, 700);
  AppendGroup(2, 700);
  for (int i = 0; i < 5; ++i) AppendUnflushed(2, 700);
  const Place first = PlaceOf(2);
  const Place last = PlaceOf(6);
  Close();
  const std::string good = ReadAll(first.path);
  const auto all = appended_;
  bool later_survived = false;
  for (int round = 0; round < 200; ++round) {
    std::string cut = good;
    for (std::uint64_t at = first.slot; at < last.end();) {
      const std::uint64_t sector_end = std::min((at / 512 + 1) * 512, last.end());
      if (random() % 8 == 0)
        std::fill(cut.begin() + static_cast<std::ptrdiff_t>(at),
                  cut.begin() + static_cast<std::ptrdiff_t>(sector_end), '\0');
      at = sector_end;
    }
    Restore(first.path, cut);
    Open();
    ASSERT_TRUE(journal_);
    const std::size_t left = report_.end.position.group.value;
    ASSERT_GE(left, 2U);
    ASSERT_EQ(report_.end, progress_[left - 1]);
    if (report_.torn_bytes > 2000) later_survived = true;
    ExpectHolds(0, left);
    Open();
    ASSERT_EQ(report_.torn_bytes, 0U);
  }
  EXPECT_TRUE(later_survived);
}

TEST_F(RecoveryTest, CutThatWasInterruptedIsRepeated) {
  const auto [torn, behind] = LeaveTwoUnflushed(700);
  ZeroFrom(torn.path, torn.slot, torn.slot + 600);  // the cut's first sectors only
  Open();
  EXPECT_EQ(report_.end, progress_[1]);
  EXPECT_EQ(report_.torn_bytes, behind.end() - torn.slot);
  Close();
  ExpectRecovers(2);
}

// The frame behind may be whole yet, with a stamp that is half gone.
TEST_F(RecoveryTest, CutThatWasInterruptedAtAnyByteIsRepeated) {
  const auto [torn, behind] = LeaveTwoUnflushed(100);
  CorruptByte(torn.path, torn.end() - 1);
  const std::string left = ReadAll(torn.path);
  for (std::uint64_t zeroed = torn.slot; zeroed < behind.end(); ++zeroed) {
    Restore(torn.path, left);
    ZeroFrom(torn.path, torn.slot, zeroed);
    ExpectRecovers(2);
  }
}

TEST_F(RecoveryTest, FailureWhileCuttingIsReportedAndNothingIsLost) {
  Open();
  AppendGroups(3);
  const Place last = PlaceOf(2);
  Close();
  ZeroFrom(last.path, last.end() - 20, last.end());
  for (const auto operation : {FailingDisk::Operation::kWrite, FailingDisk::Operation::kFlush}) {
    const auto disk = std::make_shared<FailingDisk>();
    disk->FailFrom(operation, 0, EIO);
    const Status failed = TryOpen(disk);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, EIO);
  }
  ExpectRecovers(2);
}

// ---- dropping

TEST_F(RecoveryTest, CrashInDropLeavesAJournalThatBeginsLater) {
  Open();
  while (Segments().size() < 4) AppendGroup(1, 1000);
  const auto groups = *ListSegments(options_.folder);
  Close();
  const Progress begin = progress_[groups[2].value - 2];
  ASSERT_TRUE(WriteBegin(options_.folder, begin));
  Open();
  EXPECT_TRUE(report_.damage.empty());
  Close();
  std::filesystem::remove(Segments()[0]);
  Open();
  EXPECT_TRUE(report_.damage.empty());
  Close();
  std::filesystem::remove(Segments()[0]);
  Open();
  EXPECT_TRUE(report_.damage.empty());
  EXPECT_EQ(journal_->oldest(), begin);
  EXPECT_EQ(report_.end, progress_.back());
}

// ---- damage

TEST_F(RecoveryTest, DamageInAnyByteOfAnEarlierFrameIsRefusedWithItsPlace) {
  Open();
  AppendGroups(4);
  const Place earlier = PlaceOf(1);
  Close();
  for (std::uint64_t at = earlier.slot; at < earlier.end(); ++at) {
    SCOPED_TRACE(at);
    CorruptByte(earlier.path, at);
    const std::string damaged = ReadAll(earlier.path);
    ExpectDamage(earlier.path, earlier.slot);
    ASSERT_EQ(ReadAll(earlier.path), damaged);
    CorruptByte(earlier.path, at);
  }
  ExpectRecovers(4);
}

TEST_F(RecoveryTest, ZerosWhereAnEarlierFrameWasAreDamage) {
  Open();
  AppendGroups(4);
  const Place earlier = PlaceOf(1);
  Close();
  ZeroFrom(earlier.path, earlier.slot, earlier.end());
  ExpectDamage(earlier.path, earlier.slot);
}

TEST_F(RecoveryTest, DamageFarBeforeALaterFrameIsStillFound) {
  options_.segment_bytes = 8 * kMiB;
  Open();
  AppendGroup();
  AppendGroup(3, 1'000'000);
  AppendGroup();
  const Place large = PlaceOf(1);
  Close();
  CorruptByte(large.path, large.slot + 2'000'000);
  ExpectDamage(large.path, large.slot);
}

TEST_F(RecoveryTest, DamageInABatchBeforeTheLastFlushIsRefused) {
  Open();
  AppendGroup();
  AppendUnflushed();
  AppendUnflushed();
  ASSERT_TRUE(journal_->Flush());
  AppendGroup();
  const Place in_batch = PlaceOf(1);
  Close();
  CorruptByte(in_batch.path, in_batch.slot + 50);
  ExpectDamage(in_batch.path, in_batch.slot);
}

TEST_F(RecoveryTest, WholeFrameOfAnotherChainIsRefused) {
  Open();
  AppendGroups(2);
  const Place last = PlaceOf(1);
  Progress other = progress_[0];
  Close();
  other.position.digest.bytes[0] ^= std::byte{1};
  const OwnedFrame parted(other, 2, 100);
  const Buffer bytes = parted.AsBytes();
  const auto stamp = EncodeStamp(Stamp{last.slot}, last.slot, parted.frame().header.digest);
  std::string content = ReadAll(last.path);
  content.replace(last.slot, kStampBytes, AsText(stamp));
  content.replace(last.slot + kStampBytes, bytes.size(), AsText(bytes));
  Restore(last.path, content);
  ExpectDamage(last.path, last.slot);
}

TEST_F(RecoveryTest, LastSegmentThatDoesNotContinueTheOneBeforeIsRefused) {
  Open();
  while (Segments().size() < 2) AppendGroup(1, 1000);
  Close();
  const auto segments = Segments();
  const std::string good = ReadAll(segments[1]);
  auto header = *DecodeSegmentHeader(AsBytes(good));
  header.before.position.digest.bytes[0] ^= std::byte{1};
  const Buffer other = EncodeSegmentHeader(header);
  Restore(segments[1], std::string(AsText(other)) + good.substr(kSegmentHeaderBytes));
  const Status opened = TryOpen();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, EBADMSG);
  EXPECT_THAT(opened.error().message, HasSubstr(segments[0]));
  EXPECT_THAT(opened.error().message, HasSubstr("the next segment continues"));
}

// What it holds is not what is gone on with; more of it in damage_test.cc.
TEST_F(RecoveryTest, DamageInTheSegmentBeforeTheLastIsReported) {
  Open();
  while (Segments().size() < 2) AppendGroup(1, 1000);
  const Place first = PlaceOf(0);
  Close();
  CorruptByte(first.path, first.slot + kStampBytes + 30);
  Open();
  ASSERT_EQ(report_.damage.size(), 1U);
  EXPECT_EQ(options_.folder + "/" + report_.damage[0].segment, first.path);
  EXPECT_EQ(report_.damage[0].offset, first.slot);
  EXPECT_EQ(report_.end, progress_.back());
}

TEST_F(RecoveryTest, SegmentOfAnotherJournalIsRefused) {
  Open();
  while (Segments().size() < 3) AppendGroup(1, 1000);
  Close();
  const std::string path = Segments()[0];
  const std::string good = ReadAll(path);
  auto header = *DecodeSegmentHeader(AsBytes(good));
  header.before.position.journal = JournalId::Random();
  const Buffer other = EncodeSegmentHeader(header);
  Restore(path, std::string(AsText(other)) + good.substr(kSegmentHeaderBytes));
  const Status opened = TryOpen();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, EBADMSG);
  EXPECT_THAT(opened.error().message, HasSubstr(path));
}

}  // namespace
}  // namespace hawser::test
