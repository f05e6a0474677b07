// Random lives of a journal, with crashes, against a list of what was appended. HAWSER_SEED replays one.
#include <fmt/format.h>

#include <cstdlib>
#include <random>

#include "common/journal/inspect.h"
#include "common/journal/segment.h"
#include "tests/common/journal/journal_fixture.h"

namespace hawser::test {
namespace {

class RandomJournalTest : public JournalTest {
 protected:
  std::uint64_t Below(std::uint64_t bound) { return random_() % bound; }

  void AppendSome() {
    const std::size_t payload = Below(10) == 0 ? Below(100'000) : Below(2000);
    AppendUnflushed(1 + Below(5), payload);
    if (Below(3) == 0) {
      ASSERT_TRUE(journal_->Flush());
    }
  }

  void DropSome() {
    ASSERT_TRUE(journal_->DropThrough(Group(Below(appended_.size() + 1))));
    oldest_ = journal_->oldest().position.group.value;
  }

  // Power is lost: of what was not flushed any sector may be missing. Then what is left must be a beginning
  // of what was appended, and at least what was durable.
  void CrashAndReopen() {
    const std::size_t durable = journal_->durable().position.group.value;
    const bool unflushed = durable < appended_.size();
    const Place from = unflushed ? PlaceOf(durable) : Place{};
    const Place to = unflushed ? PlaceOf(appended_.size() - 1) : Place{};
    Close();
    if (unflushed) LoseSectors(from.path, from.slot, to.end());
    Open();
    const std::size_t left = report_.end.position.group.value;
    ASSERT_GE(left, durable);
    ASSERT_LE(left, appended_.size());
    appended_.resize(left);
    progress_.resize(left);
    if (left > 0) {
      ASSERT_EQ(report_.end, progress_.back());
    }
  }

  void LoseSectors(const std::string& path, std::uint64_t from, std::uint64_t to) {
    constexpr std::uint64_t kSector = 512;
    const std::uint64_t one_in = 1 + Below(20);
    for (std::uint64_t at = from; at < to; at = (at / kSector + 1) * kSector)
      if (Below(one_in) == 0) ZeroFrom(path, at, std::min((at / kSector + 1) * kSector, to));
  }

  void ReadFromSomewhere() {
    const std::size_t after = oldest_ + Below(appended_.size() - oldest_ + 1);
    const Position position = after == 0 ? journal_->oldest().position : progress_[after - 1].position;
    auto reader = OpenJournalReader(options_.folder, position);
    ASSERT_TRUE(reader) << reader.error().Text();
    Buffer expected;
    for (std::size_t i = after; i < appended_.size(); ++i)
      expected.insert(expected.end(), appended_[i].begin(), appended_[i].end());
    Buffer read;
    for (;;) {
      const auto bytes = (*reader)->NextBytes(journal_->appended().position.group, 1 + Below(200'000));
      ASSERT_TRUE(bytes) << bytes.error().Text();
      if (bytes->empty()) break;
      read.insert(read.end(), bytes->begin(), bytes->end());
    }
    ASSERT_TRUE(read == expected);
  }

  std::mt19937_64 random_;
  std::size_t oldest_ = 0;  // groups that were dropped
};

TEST_F(RandomJournalTest, HoldsABeginningOfWhatWasAppendedAndAllThatWasDurable) {
  const char* const given = std::getenv("HAWSER_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  SCOPED_TRACE(fmt::format("HAWSER_SEED={}", seed));
  fmt::print("HAWSER_SEED={}\n", seed);
  random_.seed(seed);
  Open();
  for (int step = 0; step < 600; ++step) {
    const std::uint64_t what = Below(40);
    if (what == 0) {
      CrashAndReopen();
    } else if (what == 1) {
      DropSome();
    } else if (what <= 4) {
      ReadFromSomewhere();
    } else {
      AppendSome();
    }
    if (HasFatalFailure()) return;
  }
  ASSERT_TRUE(journal_->Flush());
  const auto report = CheckJournal(options_.folder);
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->damage) << report->damage->what;
  EXPECT_EQ(report->groups, appended_.size() - oldest_);
  ExpectHolds(oldest_, appended_.size() - oldest_);
}

}  // namespace
}  // namespace hawser::test
