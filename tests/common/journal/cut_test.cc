// Taking groups back off the journal's end, and every way in which a crash can interrupt that.
#include "common/journal/cut.h"

#include <fmt/format.h>

#include <filesystem>
#include <random>

#include "common/base/files.h"
#include "common/journal/segment.h"
#include "common/record/pack_position.h"
#include "tests/common/journal/failing_disk.h"
#include "tests/common/journal/journal_fixture.h"

namespace hawser::test {
namespace {

class CutTest : public JournalTest {
 protected:
  // Small, so that every byte can be tried.
  CutTest() { options_.segment_bytes = 8 * kKiB; }

  void Cut(std::size_t groups) {
    const Position position =
        groups == 0 ? Position{progress_[0].position.journal, {}, {}, {}} : progress_[groups - 1].position;
    const Status cut = journal_->CutAfter(position);
    ASSERT_TRUE(cut) << cut.error().Text();
    ExpectEndsAfter(groups);
  }

  void ExpectEndsAfter(std::size_t groups) {
    if (groups > 0) {
      EXPECT_EQ(journal_->appended(), progress_[groups - 1]);
      EXPECT_EQ(journal_->durable(), progress_[groups - 1]);
    }
    appended_.resize(groups), progress_.resize(groups);
    ExpectHolds(0, groups);
  }

  // The journal goes on, and a restart finds nothing to mend.
  void ExpectGoesOn() {
    AppendGroup();
    ExpectHolds(0, appended_.size());
    Open();
    EXPECT_EQ(report_.torn_bytes, 0U);
    EXPECT_FALSE(report_.cut_after);
    EXPECT_EQ(report_.end, progress_.back());
    ExpectHolds(0, appended_.size());
  }

  std::string MarkPath() const { return options_.folder + "/cut"; }
  void WriteMark(const Position& position) {
    Packer mark;
    Pack(mark, position);
    ASSERT_TRUE(WriteFileAtomically(MarkPath(), std::string(AsText(mark.Finish()))));
  }
};

TEST_F(CutTest, WhatComesAfterIsGoneAndTheJournalGoesOn) {
  Open();
  AppendGroups(5);
  Cut(3);
  ExpectGoesOn();
}

TEST_F(CutTest, AtTheEndNothingHappens) {
  Open();
  AppendGroups(2);
  Cut(2);
  ExpectGoesOn();
}

TEST_F(CutTest, WhatWasNotFlushedIsTakenBackToo) {
  Open();
  AppendGroups(2);
  AppendUnflushed();
  Cut(1);
  ExpectGoesOn();
}

TEST_F(CutTest, LaterSegmentsGo) {
  Open();
  while (Segments().size() < 4) AppendGroup(1, 1000);
  Cut(2);
  EXPECT_EQ(Segments().size(), 1U);
  ExpectGoesOn();
}

TEST_F(CutTest, WhereASegmentEndsTheNextOneGoes) {
  Open();
  std::size_t first = 0;  // groups in the first segment
  for (; Segments().size() < 2; first = appended_.size() - 1) AppendGroup(1, 1000);
  Cut(first);
  EXPECT_EQ(Segments().size(), 1U);
  ExpectGoesOn();
}

TEST_F(CutTest, BackToTheVeryBeginning) {
  Open();
  AppendGroups(3);
  Cut(0);
  AppendGroup();
  ExpectHolds(0, 1);
}

TEST_F(CutTest, APositionThatIsNotThereChangesNothing) {
  Open();
  AppendGroups(3);
  Position other = progress_[1].position;
  other.digest.bytes[0] ^= std::byte{1};
  const Status refused = journal_->CutAfter(other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ESTALE);
  Position later = progress_[2].position;
  later.group = Group(9);
  EXPECT_FALSE(journal_->CutAfter(later));
  ExpectHolds(0, 3);
  AppendGroup();
  ExpectHolds(0, 4);
}

// The mark is on the disk, and the rest of the cut up to any byte.
TEST_F(CutTest, InterruptedAtAnyByteItIsEndedAtTheNextStart) {
  Open();
  AppendGroups(4);
  const Position position = progress_[1].position;
  const Place third = PlaceOf(2);
  const Place last = PlaceOf(3);
  Close();
  const std::string good = ReadAll(third.path);
  appended_.resize(2), progress_.resize(2);
  for (std::uint64_t at = third.slot; at <= last.end(); ++at) {
    SCOPED_TRACE(at);
    WriteAll(third.path, good);
    ZeroFrom(third.path, third.slot, at);
    WriteMark(position);
    Open();
    ASSERT_EQ(report_.end, progress_[1]);
    ASSERT_TRUE(report_.cut_after);
    EXPECT_FALSE(std::filesystem::exists(MarkPath()));
    ExpectHolds(0, 2);
    Close();
  }
  Open();
  ExpectGoesOn();
}

// Zeros reach the disk in any order, and segments go in any.
TEST_F(CutTest, InterruptedAnywhereWithSeveralSegmentsItIsEnded) {
  std::mt19937 random(20251125);
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    options_.folder = dir_ / fmt::format("journal-{}", round);
    appended_.clear(), progress_.clear();
    Open();
    while (Segments().size() < 3) AppendGroup(1, 900);
    const auto segments = Segments();
    const Position position = progress_[1].position;
    const Place behind = PlaceOf(2);
    Close();
    const std::uint64_t size = std::filesystem::file_size(behind.path);
    for (std::uint64_t at = behind.slot; at < size; at += 512)
      if (random() % 2 == 0) ZeroFrom(behind.path, at, std::min(at + 512, size));
    for (std::size_t i = 1; i < segments.size(); ++i)
      if (random() % 2 == 0) std::filesystem::remove(segments[i]);
    WriteMark(position);
    Open();
    ASSERT_EQ(report_.end, progress_[1]);
    ExpectEndsAfter(2);
    ExpectGoesOn();
    Close();
  }
}

TEST_F(CutTest, AFailingDiskPoisonsAndTheNextStartEndsTheCut) {
  for (const auto operation : {FailingDisk::Operation::kWrite, FailingDisk::Operation::kFlushFolder}) {
    options_.folder = dir_ / fmt::format("journal-{}", static_cast<int>(operation));
    appended_.clear(), progress_.clear();
    const auto disk = std::make_shared<FailingDisk>();
    Open(disk);
    AppendGroups(4);
    const Position position = progress_[1].position;
    disk->FailFrom(operation, 0, EIO);
    EXPECT_FALSE(journal_->CutAfter(position));
    EXPECT_FALSE(journal_->Append(OwnedFrame(journal_->appended(), 1, 10).frame()));
    Open();
    EXPECT_TRUE(report_.cut_after);
    ExpectEndsAfter(2);
    ExpectGoesOn();
  }
}

}  // namespace
}  // namespace hawser::test
