// What a lane makes of the relay's answers.
#include "fuse_primary/relay_client.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "common/net/router.h"
#include "common/record/codec.h"

namespace hawser {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);

class RelayClientTest : public testing::Test {
 protected:
  // A relay that gives these answers, one after the other, and notes what it was sent.
  void Serve(std::vector<Answer> answers) {
    relay_ = std::thread([this, answers = std::move(answers)] {
      for (const Answer& answer : answers) {
        auto arrival = router_->Receive(kPatience);
        if (!arrival || !*arrival || !(*arrival)->message) return;
        const Bytes header = (*arrival)->message->part(1);
        received_.emplace_back(header.begin(), header.end());
        std::vector<Buffer> parts;
        parts.push_back(Encode(Answers{{answer}}));
        router_->Reply((*arrival)->from, MessageType::kAnswers, std::move(parts));
      }
    });
  }
  void TearDown() override {
    if (relay_.joinable()) relay_.join();
  }

  Result<Answer> Submit(RelayClient::Lane& lane,
                        std::optional<Deadline> deadline = SteadyClock::now() + kPatience) {
    const Record record{VolumeName("docs"), Generation(1), lane.NextOrigin(), Mark{"a"}};
    return lane.Submit(EncodeRecord(record), {}, deadline, nullptr);
  }

  NetContext context_;
  std::unique_ptr<Router> router_ = *Router::Bind(context_, "tcp://127.0.0.1:*");
  RelayClient client_{context_, router_->endpoint(), NodeName("alpha"), 1};
  std::vector<Buffer> received_;
  std::thread relay_;
};

TEST_F(RelayClientTest, ARefusalUsesUpTheNumber) {
  Serve({Refusal{RefusalCode::kJournalFull, "full"}, Ack{}});
  const auto lane = *client_.Borrow(std::nullopt, nullptr);
  EXPECT_EQ(lane->NextOrigin().number, 1U);
  const auto refused = Submit(*lane);
  ASSERT_TRUE(refused) << refused.error().Text();
  EXPECT_TRUE(std::holds_alternative<Refusal>(*refused));
  EXPECT_EQ(lane->NextOrigin().number, 2U);
  ASSERT_TRUE(Submit(*lane));
  EXPECT_EQ(lane->NextOrigin().number, 3U);
}

TEST_F(RelayClientTest, AFailedJournalIsNoAnswerAndTheSameRecordIsSentAgain) {
  Serve({Refusal{RefusalCode::kJournalFailed, "failed"}, Ack{}});
  const auto lane = *client_.Borrow(std::nullopt, nullptr);
  const auto answer = Submit(*lane);
  ASSERT_TRUE(answer) << answer.error().Text();
  EXPECT_TRUE(std::holds_alternative<Ack>(*answer));
  relay_.join();
  ASSERT_EQ(received_.size(), 2U);
  EXPECT_EQ(received_[0], received_[1]);
  EXPECT_EQ(lane->NextOrigin().number, 2U);
}

TEST_F(RelayClientTest, WhoeverComesWhileTheLaneIsTakenWaitsForItNoLongerThanItMay) {
  const auto lane = client_.Borrow(std::nullopt, nullptr);
  ASSERT_TRUE(lane);
  const auto late = client_.Borrow(SteadyClock::now() + std::chrono::milliseconds(60), nullptr);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ETIMEDOUT);
  const std::atomic<bool> cancel{true};
  const auto cancelled = client_.Borrow(std::nullopt, &cancel);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, ECANCELED);
}

TEST_F(RelayClientTest, WhoWaitsForAFailedJournalOnlySoLongHasNoAnswer) {
  Serve({Refusal{RefusalCode::kJournalFailed, "the disk of the relay is broken"}});
  const auto lane = *client_.Borrow(std::nullopt, nullptr);
  const auto answer = Submit(*lane, SteadyClock::now() + std::chrono::milliseconds(500));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ETIMEDOUT);
  EXPECT_EQ(lane->NextOrigin().number, 1U);  // the same must be sent again
}

}  // namespace
}  // namespace hawser
