#include "tests/relay/fixture.h"

namespace hawser::test {
namespace {

class JournalFailureTest : public RelayTest {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Start());
    ASSERT_TRUE(SayHello(kAlpha, 1));
    primary_ = std::make_unique<Primary>(MakePrimary());
    ASSERT_TRUE(primary_->Write("before"));
    written_ = HeadNow();
  }

  std::unique_ptr<Primary> primary_;
  Sequence written_;
};

TEST_F(JournalFailureTest, AWriteWhoseFlushFailsIsRefusedAndSoIsEveryLaterOne) {
  flushes_.Fail();
  for (int i = 0; i < 3; ++i) {
    const auto refused = primary_->Write("after");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ToErrno(RefusalCode::kJournalFailed)) << refused.error().Text();
    EXPECT_NE(refused.error().message.find("cannot flush"), std::string::npos) << refused.error().message;
  }
  EXPECT_FALSE(SayHello(kAlpha, 2));
}

TEST_F(JournalFailureTest, StatusSaysSo) {
  EXPECT_EQ(AskStatus()["relay"]["state"], "live");
  flushes_.Fail();
  EXPECT_FALSE(primary_->Write("after"));
  const auto status = AskStatus();
  EXPECT_EQ(status["relay"]["state"], "journal_failed");
  EXPECT_NE(std::string(status["relay"]["problem"]).find("cannot flush"), std::string::npos);
  EXPECT_EQ(status["relay"]["head"], written_.value);
}

TEST_F(JournalFailureTest, AWriteForWhichThereIsNoRoomIsRefusedForGoodAndLaterOnesTakePlace) {
  flushes_.Fill(true);
  for (const auto& refused : {primary_->Write("after"), primary_->Repeat()}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ENOSPC) << refused.error().Text();
  }
  EXPECT_EQ(AskStatus()["relay"]["state"], "live");
  flushes_.Fill(false);
  // Its caller has been told: a copy of it that comes late must not take place.
  const auto again = primary_->Repeat();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ENOSPC) << again.error().Text();
  const auto written = primary_->Write("later");
  ASSERT_TRUE(written) << written.error().Text();
  const auto records = PullAll();
  ASSERT_EQ(records.size(), written_.value + 1);
  EXPECT_EQ(records.back().payload, "later");
}

TEST_F(JournalFailureTest, AWriteForWhichNoSegmentCanBeOpenedWaitsAndIsTaken) {
  flushes_.Starve(true);
  std::atomic<bool> answered = false;
  std::thread writer([&] {
    const auto ack = primary_->Write("patient");
    EXPECT_TRUE(ack) << ack.error().Text();
    answered.store(true);
  });
  AwaitThat("it is tried again", [this] { return flushes_.starved() >= 2; });
  EXPECT_FALSE(answered.load());
  EXPECT_EQ(AskStatus()["relay"]["state"], "live");
  flushes_.Starve(false);
  writer.join();
  EXPECT_EQ(PullAll().back().payload, "patient");
}

// No backend says so yet; a relay that hears it must not go on.
TEST_F(JournalFailureTest, AJournalThatAnotherRelayHasTakenOverTakesNothingMore) {
  flushes_.Fence();
  for (int i = 0; i < 2; ++i) {
    const auto refused = primary_->Write("after");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ToErrno(RefusalCode::kJournalFailed)) << refused.error().Text();
    EXPECT_NE(refused.error().message.find("another relay"), std::string::npos) << refused.error().message;
  }
  EXPECT_FALSE(SayHello(kAlpha, 2));
  EXPECT_EQ(AskStatus()["relay"]["state"], "journal_failed");
  EXPECT_EQ(HeadNow(), written_);
}

TEST_F(JournalFailureTest, WhatWasDurableIsServedAndWhatWasNotIsNot) {
  flushes_.Fail();
  EXPECT_FALSE(primary_->Write("after"));
  const auto records = PullAll();
  ASSERT_EQ(records.size(), written_.value);
  EXPECT_EQ(records.back().payload, "before");
}

}  // namespace
}  // namespace hawser::test
