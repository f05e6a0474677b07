#include "common/journal/reader.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "common/journal/segment.h"
#include "tests/common/journal/journal_fixture.h"

namespace hawser::test {
namespace {

using ::testing::HasSubstr;
constexpr auto kPatience = std::chrono::seconds(60);

class ReaderTest : public JournalTest {
 protected:
  std::unique_ptr<JournalReader> OpenAfter(const Position& after) {
    auto reader = OpenJournalReader(options_.folder, after);
    EXPECT_TRUE(reader) << reader.error().Text();
    return reader ? *std::move(reader) : nullptr;
  }
  Error OpenFails(const Position& after) {
    const auto reader = OpenJournalReader(options_.folder, after);
    EXPECT_FALSE(reader);
    return reader ? Error{} : reader.error();
  }
  Group NextGroup(JournalReader& reader, Group last = kAllGroups) {
    const auto frame = reader.Next(last);
    EXPECT_TRUE(frame) << frame.error().Text();
    return frame && *frame ? (*frame)->header.group : Group(0);
  }
};

TEST_F(ReaderTest, BeginsBehindAnyPosition) {
  Open();
  while (Segments().size() < 3) AppendGroup(2, 5000);
  for (std::size_t i = 0; i < progress_.size(); ++i) {
    const auto reader = OpenAfter(progress_[i].position);
    EXPECT_EQ(reader->at(), progress_[i]);
    EXPECT_EQ(NextGroup(*reader), i + 1 < progress_.size() ? Group(i + 2) : Group(0));
  }
}

TEST_F(ReaderTest, BeginsAtTheVeryBeginning) {
  Open();
  AppendGroup();
  EXPECT_EQ(NextGroup(*OpenAfter(Position{})), Group(1));
  EXPECT_EQ(NextGroup(*OpenAfter(journal_->oldest().position)), Group(1));
}

TEST_F(ReaderTest, BeginsAtTheOldestThatIsThere) {
  Open();
  while (Segments().size() < 3) AppendGroup(2, 5000);
  ASSERT_TRUE(journal_->DropThrough(journal_->durable().position.group));
  const Progress oldest = journal_->oldest();
  EXPECT_EQ(OpenAfter(Position{})->at(), oldest);
  EXPECT_EQ(NextGroup(*OpenAfter(oldest.position)), Next(oldest.position.group));
}

TEST_F(ReaderTest, StopsAtTheGroupItMayReadAndGoesOnLater) {
  Open();
  AppendGroups(3);
  const auto reader = OpenAfter(Position{});
  EXPECT_EQ(NextGroup(*reader, Group(2)), Group(1));
  EXPECT_EQ(NextGroup(*reader, Group(2)), Group(2));
  EXPECT_EQ(NextGroup(*reader, Group(2)), Group(0));
  EXPECT_EQ(reader->at(), progress_[1]);
  EXPECT_EQ(NextGroup(*reader, Group(3)), Group(3));
  EXPECT_EQ(NextGroup(*reader, Group(3)), Group(0));
  AppendGroup();
  EXPECT_EQ(NextGroup(*reader, Group(4)), Group(4));
}

TEST_F(ReaderTest, BytesAreThoseOfTheFrames) {
  Open();
  while (Segments().size() < 3) AppendGroup(2, 5000);
  Buffer all;
  for (const Buffer& group : appended_) all.insert(all.end(), group.begin(), group.end());
  for (const std::uint64_t max_bytes : {1U, 15'000U, 100'000U, 10'000'000U}) {
    const auto reader = OpenAfter(Position{});
    Buffer read;
    for (;;) {
      const auto bytes = reader->NextBytes(kAllGroups, max_bytes);
      ASSERT_TRUE(bytes) << bytes.error().Text();
      if (bytes->empty()) break;
      EXPECT_LE(bytes->size(), std::max<std::uint64_t>(max_bytes, 10'300)) << "more than a frame too many";
      read.insert(read.end(), bytes->begin(), bytes->end());
    }
    EXPECT_TRUE(read == all);
    EXPECT_EQ(reader->at(), progress_.back());
  }
}

TEST_F(ReaderTest, BytesStopAtTheGroupTheyMayReach) {
  Open();
  AppendGroups(3);
  const auto reader = OpenAfter(Position{});
  const auto bytes = reader->NextBytes(Group(2), kMiB);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->size(), appended_[0].size() + appended_[1].size());
  EXPECT_EQ(reader->at(), progress_[1]);
  EXPECT_TRUE(reader->NextBytes(Group(2), kMiB)->empty());
}

TEST_F(ReaderTest, PositionThatWasDroppedIsGoneAndBothAreNamed) {
  Open();
  while (Segments().size() < 3) AppendGroup(2, 5000);
  ASSERT_TRUE(journal_->DropThrough(journal_->durable().position.group));
  const Error error = OpenFails(progress_[0].position);
  EXPECT_EQ(error.code, ENODATA);
  EXPECT_THAT(error.message, HasSubstr(progress_[0].position.Text()));
  EXPECT_THAT(error.message, HasSubstr(journal_->oldest().position.Text()));
  Position beginning;
  beginning.journal = journal_->oldest().position.journal;
  EXPECT_EQ(OpenFails(beginning).code, ENODATA);
}

TEST_F(ReaderTest, PositionWithAnotherDigestHasParted) {
  Open();
  AppendGroups(3);
  Position other = progress_[1].position;
  other.digest.bytes[0] ^= std::byte{1};
  const Error error = OpenFails(other);
  EXPECT_EQ(error.code, ESTALE);
  EXPECT_THAT(error.message, HasSubstr(other.digest.Hex()));
  EXPECT_THAT(error.message, HasSubstr(progress_[1].position.digest.Hex()));
  other = progress_[1].position;
  other.sequence = Sequence(99);
  EXPECT_EQ(OpenFails(other).code, ESTALE);
}

TEST_F(ReaderTest, PositionOfAnotherJournalHasParted) {
  Open();
  AppendGroups(3);
  Position other = progress_[1].position;
  other.journal = JournalId::Random();
  const Error error = OpenFails(other);
  EXPECT_EQ(error.code, ESTALE);
  EXPECT_THAT(error.message, HasSubstr(other.journal.Hex()));
}

TEST_F(ReaderTest, PositionAheadOfTheJournalHasParted) {
  Open();
  AppendGroups(3);
  Position ahead = progress_[2].position;
  ahead.group = Group(9);
  ahead.sequence = Sequence(99);
  const Error error = OpenFails(ahead);
  EXPECT_EQ(error.code, ESTALE);
  EXPECT_THAT(error.message, HasSubstr(progress_[2].position.Text()));
}

TEST_F(ReaderTest, FolderWithoutAJournalIsNoEntry) {
  EXPECT_EQ(OpenFails(Position{}).code, ENOENT);
  std::filesystem::create_directories(options_.folder);
  EXPECT_EQ(OpenFails(Position{}).code, ENOENT);
}

TEST_F(ReaderTest, DamageIsNamedWithSegmentAndOffsetWhereverItIs) {
  Open();
  AppendGroups(4);
  const Place place = PlaceOf(1);
  for (std::uint64_t at = place.slot; at < place.end(); at += 7) {
    SCOPED_TRACE(at);
    CorruptByte(place.path, at);
    for (const Group last : {Group(4), kAllGroups}) {
      const auto reader = OpenAfter(Position{});
      EXPECT_EQ(NextGroup(*reader, last), Group(1));
      const auto frame = reader->Next(last);
      ASSERT_FALSE(frame);
      EXPECT_EQ(frame.error().code, EBADMSG);
      EXPECT_THAT(frame.error().message, HasSubstr(place.path));
      EXPECT_THAT(frame.error().message, HasSubstr("offset " + std::to_string(place.slot)));
      EXPECT_EQ(reader->at(), progress_[0]);
    }
    CorruptByte(place.path, at);
  }
}

TEST_F(ReaderTest, ZerosInsteadOfADurableGroupAreDamageNotTheEnd) {
  Open();
  AppendGroups(4);
  const Place place = PlaceOf(1);
  ZeroFrom(place.path, place.slot, place.end());
  const auto reader = OpenAfter(Position{});
  EXPECT_EQ(NextGroup(*reader, Group(4)), Group(1));
  const auto frame = reader->Next(Group(4));
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, EBADMSG);
}

TEST_F(ReaderTest, DamagedDurableGroupAtTheEndIsDamage) {
  Open();
  AppendGroups(2);
  const Place place = PlaceOf(1);
  CorruptByte(place.path, place.slot + 60);
  const auto reader = OpenAfter(progress_[0].position);
  const auto frame = reader->Next(Group(2));
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, EBADMSG);
}

TEST_F(ReaderTest, TornTailIsTheEndWhenNothingIsRunning) {
  Open();
  AppendGroups(2);
  const Place place = PlaceOf(1);
  Close();
  ZeroFrom(place.path, place.end() - 30, place.end());
  const auto reader = OpenAfter(Position{});
  EXPECT_EQ(NextGroup(*reader), Group(1));
  EXPECT_EQ(NextGroup(*reader), Group(0));
}

TEST_F(ReaderTest, SegmentDroppedWhileBeingReadIsReadToItsEnd) {
  Open();
  while (Segments().size() < 4) AppendGroup(2, 5000);
  const auto groups = *ListSegments(options_.folder);
  const auto reader = OpenAfter(Position{});
  EXPECT_EQ(NextGroup(*reader), Group(1));
  ASSERT_TRUE(journal_->DropThrough(Group(groups[2].value - 1)));
  const Group last = journal_->durable().position.group;
  for (std::uint64_t group = 2; group < groups[1].value; ++group)
    EXPECT_EQ(NextGroup(*reader, last), Group(group));
  const auto gone = reader->Next(last);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ENODATA);
  EXPECT_THAT(gone.error().message, HasSubstr(journal_->oldest().position.Text()));
}

TEST_F(ReaderTest, SegmentDroppedBehindTheReaderDoesNotMatter) {
  Open();
  while (Segments().size() < 3) AppendGroup(2, 5000);
  const auto groups = *ListSegments(options_.folder);
  const auto reader = OpenAfter(progress_[groups[1].value - 2].position);
  ASSERT_TRUE(journal_->DropThrough(Group(groups[1].value - 1)));
  for (std::uint64_t group = groups[1].value; group <= progress_.size(); ++group)
    EXPECT_EQ(NextGroup(*reader), Group(group));
  EXPECT_EQ(NextGroup(*reader), Group(0));
}

TEST_F(ReaderTest, UnfinishedSegmentIsTheEnd) {
  Open();
  AppendGroups(2);
  Close();
  WriteAll(options_.folder + "/" + SegmentName(Group(3)), std::string(5000, '\0'));
  const auto reader = OpenAfter(progress_[0].position);
  EXPECT_EQ(NextGroup(*reader), Group(2));
  EXPECT_EQ(NextGroup(*reader), Group(0));
}

// Readers beside the appending thread, while segments roll and are dropped behind the slowest.
TEST_F(ReaderTest, BesideARunningJournalSeesEveryGroupOnceInOrder) {
  constexpr std::uint64_t kGroups = 3000;
  Open();
  const auto deadline = SteadyClock::now() + kPatience;
  std::atomic<std::uint64_t> slowest{0};
  std::array<std::atomic<std::uint64_t>, 2> read{};
  const auto follow = [&](std::atomic<std::uint64_t>& mine, bool as_bytes) {
    const auto reader = OpenAfter(Position{});
    while (reader->at().position.group.value < kGroups && SteadyClock::now() < deadline) {
      const Group last = journal_->durable().position.group;
      if (as_bytes) {
        const auto bytes = reader->NextBytes(last, 100'000);
        ASSERT_TRUE(bytes) << bytes.error().Text();
      } else {
        const Group expected = Next(reader->at().position.group);
        const auto frame = reader->Next(last);
        ASSERT_TRUE(frame) << frame.error().Text();
        ASSERT_EQ(reader->at().position.group, *frame ? expected : last);
      }
      mine = reader->at().position.group.value;
      slowest = std::min(read[0].load(), read[1].load());
    }
  };
  std::thread frames(follow, std::ref(read[0]), false);
  std::thread bytes(follow, std::ref(read[1]), true);
  std::thread dropper([&] {
    while (slowest < kGroups && SteadyClock::now() < deadline) {
      const Status dropped = journal_->DropThrough(Group(slowest));
      ASSERT_TRUE(dropped) << dropped.error().Text();
      std::this_thread::yield();
    }
  });
  for (std::uint64_t i = 0; i < kGroups; ++i) {
    const OwnedFrame frame(journal_->appended(), 1 + i % 3, i % 500);
    ASSERT_TRUE(journal_->Append(frame.frame()));
    if (i % 4 != 3 && i + 1 != kGroups) continue;
    ASSERT_TRUE(journal_->Flush());
  }
  frames.join();
  bytes.join();
  dropper.join();
  EXPECT_EQ(slowest, kGroups);
}

}  // namespace
}  // namespace hawser::test
