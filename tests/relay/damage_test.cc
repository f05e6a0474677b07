// A relay whose journal is damaged: it says so, serves what is whole, and goes on; one whose journal lacks
// its end doesn't start.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "common/base/files.h"
#include "common/base/state_folder.h"
#include "common/journal/segment.h"
#include "relay/saved_state.h"
#include "tests/relay/fixture.h"

namespace hawser::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

class DamageTest : public RelayTest {
 protected:
  DamageTest() {
    options_.segment_bytes = 128 * kKiB;
    options_.scrub = {kMiB, 2ms, 0s, 0s};
  }

  void StartAndWrite() {
    ASSERT_NO_FATAL_FAILURE(Start());
    ASSERT_TRUE(SayHello(kAlpha, 1));
    primary_.emplace(MakePrimary());
    Write(20);
    segments_ = *ListSegments(config_.relay.journal);
    ASSERT_GE(segments_.size(), 5U);
  }
  void Write(int writes) {
    for (int i = 0; i < writes; ++i) {
      const auto ack = primary_->Write(std::string(30'000, 'x'));
      ASSERT_TRUE(ack) << ack.error().Text();
      acks_.push_back(*ack);
    }
  }

  std::string PathOf(std::size_t index) const {
    return config_.relay.journal + "/" + SegmentName(segments_[index]);
  }
  // A byte of a payload.
  void FlipByte(std::size_t index) const {
    std::fstream file(PathOf(index), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(50'000);
    const auto byte = static_cast<char>(file.get());
    file.seekp(50'000);
    file.put(static_cast<char>(byte ^ 1));
  }
  nlohmann::json RelayNow() { return AskStatus()["relay"]; }
  void AwaitState(const std::string& state) {
    AwaitThat("the relay is " + state, [&] { return RelayNow()["state"] == state; });
  }
  void ExpectDamaged(std::size_t index) {
    const auto relay = RelayNow();
    EXPECT_EQ(relay["state"], "journal_damaged");
    ASSERT_EQ(relay["damage"].size(), 1U) << relay;
    EXPECT_EQ(relay["damage"][0]["segment"], SegmentName(segments_[index]));
    EXPECT_THAT(relay["problem"].get<std::string>(), HasSubstr(SegmentName(segments_[index])));
  }
  // From its beginning on no one gets past the index-th segment, and is told why; behind it all is served.
  void ExpectServesTheRest(std::size_t index) {
    Position after;
    std::vector<Received> got;
    PullReply reply;
    do {
      reply = PullOnce(kCharlie, after, got);
    } while (reply.answer == PullReply::Answer::kFrames);
    EXPECT_EQ(reply.answer, PullReply::Answer::kFailed);
    EXPECT_THAT(reply.text, HasSubstr(SegmentName(segments_[index])));
    EXPECT_LT(after.group, segments_[index + 1]);
    const auto behind = std::find_if(acks_.begin(), acks_.end(), [&](const Ack& ack) {
      return ack.group.position.group >= segments_[index + 1];
    });
    ASSERT_NE(behind, acks_.end());
    EXPECT_FALSE(PullAll(kCharlie, behind->group.position).empty());
  }
  void StopAndRemove(std::size_t index) {
    relay_.reset();
    std::filesystem::copy_file(PathOf(index), scratch_ / "segment");
    std::filesystem::remove(PathOf(index));
  }

  TempDir scratch_;
  std::optional<Primary> primary_;
  std::vector<Ack> acks_;
  std::vector<Group> segments_;
};

TEST_F(DamageTest, AFlippedBitInAnOldSegmentIsFoundWhileItServesAndNotForgotten) {
  ASSERT_NO_FATAL_FAILURE(StartAndWrite());
  FlipByte(1);
  AwaitState("journal_damaged");
  ExpectDamaged(1);
  Write(2);
  ExpectServesTheRest(1);

  options_.scrub.interval = 1h;  // nothing is read again
  ASSERT_NO_FATAL_FAILURE(Restart());
  ExpectDamaged(1);
  options_.scrub.interval = 2ms;
  FlipByte(1);  // mended
  ASSERT_NO_FATAL_FAILURE(Restart());
  AwaitState("live");
  EXPECT_FALSE(RelayNow().contains("damage"));
}

TEST_F(DamageTest, AMissingSegmentIsSaidAtTheStartAndItGoesOnWithTheRest) {
  ASSERT_NO_FATAL_FAILURE(StartAndWrite());
  options_.scrub.interval = 1h;
  StopAndRemove(2);
  ASSERT_NO_FATAL_FAILURE(Start());
  ExpectDamaged(2);
  ExpectServesTheRest(2);
  ASSERT_TRUE(SayHello(kAlpha, 1));
  primary_.emplace(MakePrimary(0, acks_.size() + 1));
  Write(1);
}

TEST_F(DamageTest, AMissingFirstSegmentIsSaidAtTheStartAndNotTakenForADroppedOne) {
  ASSERT_NO_FATAL_FAILURE(StartAndWrite());
  options_.scrub.interval = 1h;
  StopAndRemove(0);
  ASSERT_NO_FATAL_FAILURE(Start());
  ExpectDamaged(0);
  // It is put back while the relay runs, and found.
  relay_.reset();
  options_.scrub.interval = 2ms;
  ASSERT_NO_FATAL_FAILURE(Start());
  AwaitState("journal_damaged");
  std::filesystem::rename(scratch_ / "segment", PathOf(0));
  AwaitState("live");
}

// As after a kill: what a stop saves is not saved.
TEST_F(DamageTest, AJournalWhoseLastSegmentIsLostIsRefused) {
  ASSERT_NO_FATAL_FAILURE(StartAndWrite());
  const std::string left = scratch_ / "left";
  std::filesystem::copy(config_.relay.journal, left, std::filesystem::copy_options::recursive);
  relay_.reset();
  std::filesystem::remove_all(config_.relay.journal);
  std::filesystem::rename(left, config_.relay.journal);
  StopAndRemove(segments_.size() - 1);
  const auto started = Relay::Start(config_, options_);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, EBADMSG);
  EXPECT_THAT(started.error().message,
              AllOf(HasSubstr("records are missing"), HasSubstr(config_.relay.journal)));
  std::filesystem::rename(scratch_ / "segment", PathOf(segments_.size() - 1));
  ASSERT_NO_FATAL_FAILURE(Start());
}

TEST_F(DamageTest, WhatAnIdleRelayHasTakenIsSavedSoThatItsLossIsNoticed) {
  ASSERT_NO_FATAL_FAILURE(StartAndWrite());
  const Position last = acks_.back().group.position;
  AwaitThat("the state is saved", [&] {
    const auto saved = LoadState(config_.relay.journal);
    return saved && saved->sequencer.head.position.group >= last.group;
  });
}

}  // namespace
}  // namespace hawser::test
