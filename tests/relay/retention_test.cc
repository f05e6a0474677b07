// What the journal keeps, and what happens when there is no room.
#include "tests/relay/fixture.h"

namespace hawser::test {
namespace {

using namespace std::chrono_literals;

class RetentionTest : public RelayTest {
 protected:
  void SetUp() override {
    config_.relay.keep_size = 256 * kKiB;
    config_.relay.keep_time = std::chrono::hours(24);
    config_.relay.keep_free = 1000;
    AddWriters(1);
    options_.segment_bytes = 128 * kKiB;
    options_.retention_interval = 5ms;
    options_.free_bytes = [this](const std::string&) -> Result<std::uint64_t> { return free_.load(); };
  }

  void StartAndWrite(int writes) {
    ASSERT_NO_FATAL_FAILURE(Start());
    ASSERT_TRUE(SayHello(kAlpha, 1));
    primary_ = std::make_unique<Primary>(MakePrimary());
    Write(writes);
  }

  void Write(int writes) {
    for (int i = 0; i < writes; ++i) {
      const auto ack = primary_->Write(std::string(30'000, 'x'));
      ASSERT_TRUE(ack) << ack.error().Text();
      head_ = ack->group;
    }
  }

  Progress Oldest() {
    const auto overview = SendReport(kAlpha, head_);
    EXPECT_TRUE(overview);
    return overview ? overview->oldest : Progress{};
  }

  // Writes by a node of its own until nothing up to `group` is left.
  bool DropsPast(Group group) {
    if (!other_) other_ = std::make_unique<Primary>(Writer(0));
    const auto ack = other_->Write(std::string(30'000, 'y'));
    EXPECT_TRUE(ack);
    if (ack) head_ = ack->group;
    for (const auto& [node, config] : config_.nodes) EXPECT_TRUE(SendReport(node, head_));
    return Oldest().position.group > group;
  }

  std::unique_ptr<Primary> primary_;
  std::unique_ptr<Primary> other_;
  Progress head_;
  std::atomic<std::uint64_t> free_ = 1'000'000;
};

TEST_F(RetentionTest, WhatEverybodyHasGoesWhenItIsMoreThanToKeep) {
  ASSERT_NO_FATAL_FAILURE(StartAndWrite(40));
  ASSERT_TRUE(SendReport(kBravo, head_));
  ASSERT_TRUE(SendReport(WriterName(0), head_));
  ASSERT_TRUE(SendReport(kCharlie, head_));
  AwaitThat("old segments gone", [this] { return Oldest().position.group > Group(5); });
  // 256 KiB are kept.
  EXPECT_GE(head_.journal_bytes - Oldest().journal_bytes, 256 * kKiB);
}

TEST_F(RetentionTest, OneNodeThatWasNeverHeardOfHoldsEverything) {
  ASSERT_NO_FATAL_FAILURE(StartAndWrite(40));
  ASSERT_TRUE(SendReport(kBravo, head_));
  ASSERT_TRUE(SendReport(WriterName(0), head_));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Oldest().position.group, Group(0));
    Write(1);
  }
  ASSERT_TRUE(SendReport(kCharlie, head_));
  AwaitThat("old segments gone", [this] { return Oldest().position.group > Group(0); });
}

TEST_F(RetentionTest, AfterARestartOldSegmentsCanStillGoAndNumbersAreStillKnown) {
  ASSERT_NO_FATAL_FAILURE(StartAndWrite(40));
  ASSERT_NO_FATAL_FAILURE(Restart());
  ASSERT_TRUE(SendReport(kBravo, head_));
  ASSERT_TRUE(SendReport(WriterName(0), head_));
  ASSERT_TRUE(SendReport(kCharlie, head_));
  AwaitThat("old segments gone", [this] { return Oldest().position.group > Group(5); });
  ASSERT_NO_FATAL_FAILURE(Restart());
  const auto again = primary_->Repeat();
  ASSERT_TRUE(again) << again.error().Text();
  EXPECT_EQ(again->group, head_);
}

// Without the saved state: what the dropped records said is said again behind them.
TEST_F(RetentionTest, WithOldSegmentsAndTheSavedStateGoneTheJournalStillTellsAll) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_TRUE(SayHello(kBravo, 5));
  ASSERT_TRUE(SayHello(kAlpha, 1));
  primary_ = std::make_unique<Primary>(MakePrimary());
  Write(40);
  const auto batch = primary_->WriteBatch({"one", "two", "three"}, {2});
  ASSERT_TRUE(batch) << batch.error().Text();
  head_ = std::get<Ack>(batch->back()).group;
  // So much by another node that even the batch is dropped.
  AwaitThat("all of it dropped",
            [&] { return DropsPast(std::get<Ack>(batch->back()).group.position.group); });
  relay_.reset();
  ASSERT_EQ(::unlink((config_.relay.journal + "/sequencer.state").c_str()), 0);
  config_.volumes[kMail].primary = kCharlie;  // bravo wrote nothing: only the facts know it
  ASSERT_NO_FATAL_FAILURE(Start());

  EXPECT_EQ(AskStatus()["volumes"]["mail"]["primary"], "bravo");
  EXPECT_EQ(AskStatus()["volumes"]["mail"]["generation"], 1);
  const std::uint64_t before = SessionOf(kAlpha);
  const auto next = SayHello(kBravo, 6);
  ASSERT_TRUE(next) << next.error().Text();
  EXPECT_GT(next->session, before) << "a number was given twice";
  const auto again = primary_->RepeatBatch();
  ASSERT_TRUE(again) << again.error().Text();
  for (std::size_t i = 0; i < batch->size(); ++i) {
    ASSERT_TRUE(std::holds_alternative<Ack>((*again)[i]));
    EXPECT_EQ(std::get<Ack>((*again)[i]).sequence, std::get<Ack>((*batch)[i]).sequence);
    EXPECT_EQ(std::get<Ack>((*again)[i]).group, std::get<Ack>((*batch)[i]).group);
    EXPECT_TRUE(std::get<Ack>((*again)[i]).repeated);
  }
}

TEST_F(RetentionTest, WithoutTheSavedStateOldSegmentsCanStillGo) {
  ASSERT_NO_FATAL_FAILURE(StartAndWrite(40));
  relay_.reset();
  ASSERT_EQ(::unlink((config_.relay.journal + "/sequencer.state").c_str()), 0);
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_TRUE(SendReport(kBravo, head_));
  ASSERT_TRUE(SendReport(WriterName(0), head_));
  ASSERT_TRUE(SendReport(kCharlie, head_));
  AwaitThat("old segments gone", [this] { return Oldest().position.group > Group(5); });
}

TEST_F(RetentionTest, APullOfWhatHasGoneSaysSo) {
  ASSERT_NO_FATAL_FAILURE(StartAndWrite(40));
  ASSERT_TRUE(SendReport(kBravo, head_));
  ASSERT_TRUE(SendReport(WriterName(0), head_));
  ASSERT_TRUE(SendReport(kCharlie, head_));
  AwaitThat("old segments gone", [this] { return Oldest().position.group > Group(5); });
  Position beginning;
  std::vector<Received> received;
  const PullReply reply = PullOnce(kCharlie, beginning, received);
  EXPECT_EQ(reply.answer, PullReply::Answer::kGone);
  EXPECT_FALSE(reply.text.empty());
  EXPECT_TRUE(received.empty());
}

TEST_F(RetentionTest, ShortOfRoomTheSlowestIsGivenUpAndStatusSaysSo) {
  config_.relay.when_full = WhenFull::kDropSlowest;
  config_.relay.keep_size = kGiB;
  ASSERT_NO_FATAL_FAILURE(StartAndWrite(40));
  ASSERT_TRUE(SendReport(kAlpha, head_));
  ASSERT_TRUE(SendReport(kBravo, head_));
  ASSERT_TRUE(SendReport(WriterName(0), head_));
  ASSERT_TRUE(SendReport(kCharlie, Progress{}));
  EXPECT_EQ(AskStatus()["nodes"]["charlie"]["state"], "live");
  free_.store(800);
  AwaitThat("charlie given up", [this] { return AskStatus()["nodes"]["charlie"]["state"] == "needs_sync"; });
  EXPECT_EQ(AskStatus()["nodes"]["alpha"]["state"], "live");
  Position beginning;
  std::vector<Received> received;
  EXPECT_EQ(PullOnce(kCharlie, beginning, received).answer, PullReply::Answer::kGone);
  free_.store(1'000'000);
  Write(1);
}

// What was kept for it before the journal had begun to go doesn't count as something that can be deleted.
TEST_F(RetentionTest, ShortOfRoomASecondaryThatWentOffAfterTheFirstSegmentsWereGoneIsGivenUp) {
  config_.relay.when_full = WhenFull::kDropSlowest;
  config_.relay.keep_size = kGiB;
  ASSERT_NO_FATAL_FAILURE(StartAndWrite(40));
  for (const auto& [node, config] : config_.nodes) ASSERT_TRUE(SendReport(node, head_));
  free_.store(800);
  AwaitThat("old segments gone", [this] { return Oldest().position.group > Group(5); });
  free_.store(1'000'000);
  Write(40);
  for (const auto& [node, config] : config_.nodes) {
    if (node == kCharlie) continue;
    ASSERT_TRUE(SendReport(node, head_));
  }
  free_.store(800);
  AwaitThat("charlie given up", [this] { return AskStatus()["nodes"]["charlie"]["state"] == "needs_sync"; });
  AwaitThat("old segments gone", [this] { return Oldest().position.group > Group(45); });
  free_.store(1'000'000);  // with nothing left to delete, writers are held as long as it is short
  Write(1);
}

TEST_F(RetentionTest, ARelayRestartedShortOfRoomWaitsForWhoHasNotReportedYet) {
  config_.relay.when_full = WhenFull::kDropSlowest;
  config_.relay.keep_size = kGiB;
  config_.failover.detect = std::chrono::hours(1);
  ASSERT_NO_FATAL_FAILURE(StartAndWrite(40));
  free_.store(800);
  ASSERT_NO_FATAL_FAILURE(Restart());
  ASSERT_TRUE(SendReport(kAlpha, head_));
  ASSERT_TRUE(SendReport(WriterName(0), head_));
  AwaitThat("writers held", [this] { return AskStatus()["relay"]["state"] == "holding_writers"; });
  EXPECT_EQ(AskStatus()["nodes"]["bravo"]["state"], "unknown");
  EXPECT_EQ(AskStatus()["nodes"]["charlie"]["state"], "unknown");
  ASSERT_TRUE(SendReport(kBravo, head_));
  ASSERT_TRUE(SendReport(kCharlie, head_));
  AwaitThat("old segments gone", [this] { return Oldest().position.group > Group(5); });
  free_.store(1'000'000);  // which gave room
  AwaitThat("writers go on", [this] { return AskStatus()["relay"]["state"] == "live"; });
  EXPECT_NE(AskStatus()["nodes"]["bravo"]["state"], "needs_sync");
  EXPECT_NE(AskStatus()["nodes"]["charlie"]["state"], "needs_sync");
}

TEST_F(RetentionTest, ShortOfRoomWritersAreHeldAndGoOnWhenThereIsRoom) {
  config_.relay.when_full = WhenFull::kHoldWriters;
  ASSERT_NO_FATAL_FAILURE(StartAndWrite(40));
  ASSERT_TRUE(SendReport(kBravo, head_));
  ASSERT_TRUE(SendReport(WriterName(0), head_));
  ASSERT_TRUE(SendReport(kCharlie, Progress{}));
  // Answered once the facts behind the last write are journaled too.
  const auto welcome = SayHello(kAlpha, 1);
  ASSERT_TRUE(welcome) << welcome.error().Text();
  const Sequence head = welcome->head.position.sequence;
  free_.store(400);
  AwaitThat("writers held", [this] { return AskStatus()["relay"]["state"] == "holding_writers"; });
  EXPECT_FALSE(std::string(AskStatus()["relay"]["problem"]).empty());

  std::atomic<bool> answered = false;
  std::thread writer([&] {
    primary_->requester().set_resend_after(20ms);
    const auto ack = primary_->Write("patient");
    EXPECT_TRUE(ack) << ack.error().Text();
    answered.store(true);
  });
  for (int i = 0; i < 5; ++i) EXPECT_EQ(HeadNow(), head);
  EXPECT_FALSE(answered.load());
  // What holds the writers may be the checkpoint of a node that is only now starting again.
  EXPECT_TRUE(SayHello(kBravo, 2));
  free_.store(1'000'000);
  writer.join();
  EXPECT_EQ(AskStatus()["relay"]["state"], "live");
  EXPECT_EQ(ReadJournal().back().payload, "patient");
}

}  // namespace
}  // namespace hawser::test
