// The outbox's decisions, as a specification: what goes out together, what an answer settles, what is asked
// again.
#include "fuse_primary/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/record/codec.h"

namespace hawser {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A batch as the relay reads it.
struct Sent {
  std::vector<std::uint64_t> numbers;
  std::vector<std::uint64_t> cuts;
  std::vector<std::string> payloads;
  std::uint64_t answered = 0;
};

class OutboxTest : public testing::Test {
 protected:
  void Add(std::string_view payload = "x", bool cut = false) {
    Record record{
        VolumeName("docs"), Generation(1), {}, SetXattr{FileId(7), *StorePath::Parse("f"), "user.a"}};
    outbox_.Add(record, Payload::CopyOf(AsBytes(payload)), cut);
    ++added_;
    EXPECT_EQ(record.origin, (Origin{NodeName("alpha"), 3, added_})) << "the caller's record has its origin";
  }
  void Add(int records) {
    for (int i = 0; i < records; ++i) Add();
  }

  Sent Send() {
    EXPECT_TRUE(outbox_.ready());
    const std::vector<Payload> parts = outbox_.NextBatch({}, 0);
    Sent sent;
    const auto batch = Decode<Batch>(parts.at(0).bytes());
    EXPECT_TRUE(batch) << batch.error().Text();
    sent.cuts.assign(batch->cuts.begin(), batch->cuts.end());
    sent.answered = batch->answered;
    for (std::size_t i = 1; i + 1 < parts.size(); i += 2) {
      const auto record = DecodeRecord(parts[i].bytes(), parts[i + 1].bytes());
      EXPECT_TRUE(record) << record.error().Text();
      sent.numbers.push_back(record->origin.number);
      sent.payloads.emplace_back(AsText(parts[i + 1].bytes()));
    }
    EXPECT_EQ(outbox_.in_flight(), sent.numbers.back() - sent.answered);
    return sent;
  }

  static Answer Yes() { return Ack{}; }
  static Answer No() { return Refusal{RefusalCode::kJournalFull, "full"}; }
  static Answer Doubt() { return Refusal{RefusalCode::kJournalFailed, "failed"}; }
  std::size_t Take(const std::vector<Answer>& answers, bool sent_again = false) {
    const auto settled = outbox_.Take(answers, sent_again);
    EXPECT_TRUE(settled) << settled.error().Text();
    return settled ? *settled : 0;
  }

  Outbox outbox_{NodeName("alpha"),
                 3,
                 {.bytes = 1000, .batch_records = 4, .batch_bytes = 300, .batches = 2, .records = 6}};
  std::uint64_t added_ = 0;
};

// ---- batches

TEST_F(OutboxTest, AllThatWaitsGoesOutTogetherInTheOrderInWhichItCame) {
  EXPECT_FALSE(outbox_.ready());
  Add("a");
  Add("b");
  Add("c");
  const Sent sent = Send();
  EXPECT_THAT(sent.numbers, ElementsAre(1, 2, 3));
  EXPECT_THAT(sent.payloads, ElementsAre("a", "b", "c"));
  EXPECT_THAT(sent.cuts, IsEmpty());
}

TEST_F(OutboxTest, SoManyBatchesAreUnderWayAtATime) {
  Add(1);
  EXPECT_EQ(Send().answered, 0U);
  Add(1);
  const Sent second = Send();
  EXPECT_THAT(second.numbers, ElementsAre(2));
  EXPECT_EQ(second.answered, 0U) << "number 1 is under way ahead of it";
  Add(2);
  EXPECT_FALSE(outbox_.ready());
  EXPECT_EQ(Take({Yes()}), 1U);
  const Sent third = Send();
  EXPECT_THAT(third.numbers, ElementsAre(3, 4));
  EXPECT_EQ(third.answered, 1U);
}

TEST_F(OutboxTest, SoManyRecordsAreUnderWayAtATime) {
  Add(9);
  EXPECT_THAT(Send().numbers, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Send().numbers, ElementsAre(5, 6));
  EXPECT_EQ(Take({Yes(), Yes(), Yes(), Yes()}), 4U);
  EXPECT_THAT(Send().numbers, ElementsAre(7, 8, 9));
}

TEST_F(OutboxTest, ABatchHoldsSoManyRecords) {
  Add(6);
  EXPECT_THAT(Send().numbers, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(Take({Yes(), Yes(), Yes(), Yes()}), 4U);
  EXPECT_THAT(Send().numbers, ElementsAre(5, 6));
}

TEST_F(OutboxTest, ABatchHoldsSoManyBytesAndAnyOneRecord) {
  Add(std::string(2000, 'l'));
  Add(std::string(100, 'a'));
  Add(std::string(100, 'b'));
  Add(std::string(100, 'c'));
  EXPECT_THAT(Send().numbers, ElementsAre(1));
  EXPECT_EQ(Take({Yes()}), 1U);
  EXPECT_THAT(Send().numbers, ElementsAre(2, 3));  // with headers of some 30 bytes
}

TEST_F(OutboxTest, ACutStandsBeforeItsRecord) {
  Add("a");
  Add("b", true);
  Add("c");
  Add("d", true);
  EXPECT_THAT(Send().cuts, ElementsAre(1, 3));
}

TEST_F(OutboxTest, ACutBeforeABatchIsSaidIfSomethingIsUnderWayAheadOfIt) {
  Add("a");
  Send();
  Add("b", true);
  EXPECT_THAT(Send().cuts, ElementsAre(0));
  Take({Yes()});
  Take({Yes()});
  Add("c", true);
  EXPECT_THAT(Send().cuts, IsEmpty());
}

// ---- answers

TEST_F(OutboxTest, AckAndRefusalBothSettleARecord) {
  Add(3);
  Send();
  EXPECT_EQ(Take({Yes(), No(), Yes()}), 3U);
  EXPECT_EQ(outbox_.records(), 0U);
  EXPECT_FALSE(outbox_.in_doubt());
  Add(1);
  EXPECT_THAT(Send().numbers, ElementsAre(4)) << "a refused number is used up";
}

TEST_F(OutboxTest, AFailedJournalIsNoAnswerAndTheSameNumbersAreSentAgain) {
  Add(2);
  Send();
  EXPECT_EQ(Take({Doubt(), Doubt()}), 0U);
  EXPECT_TRUE(outbox_.in_doubt());
  EXPECT_FALSE(outbox_.ready()) << "not before it is time to ask again";
  outbox_.Retry();
  EXPECT_THAT(Send().numbers, ElementsAre(1, 2));
  EXPECT_EQ(Take({Yes(), Yes()}), 2U);
}

TEST_F(OutboxTest, WhatIsInDoubtIsSentAgainWithWhatHasComeSince) {
  Add(1);
  Send();
  Take({Doubt()});
  Add(1);
  EXPECT_FALSE(outbox_.ready());
  outbox_.Retry();
  EXPECT_THAT(Send().numbers, ElementsAre(1, 2));
}

TEST_F(OutboxTest, WhatIsAnsweredBehindADoubtIsAskedAgain) {
  Add(4);
  Send();
  EXPECT_EQ(Take({Yes(), Doubt(), Yes(), No()}), 1U);
  outbox_.Retry();
  EXPECT_THAT(Send().numbers, ElementsAre(2, 3, 4)) << "numbers on their way are consecutive";
}

TEST_F(OutboxTest, ADoubtIsOneOfAllThatIsUnderWay) {
  Add(4);
  Send();
  Add(1);
  Send();
  EXPECT_EQ(Take({Yes(), Doubt(), Yes(), Yes()}), 1U);
  EXPECT_EQ(outbox_.in_flight(), 0U);
  outbox_.Retry();
  const Sent again = Send();
  EXPECT_THAT(again.numbers, ElementsAre(2, 3, 4, 5));
  EXPECT_EQ(again.answered, 1U);
}

TEST_F(OutboxTest, ABatchThatOvertookAnotherIsSentAgain) {
  Add(1);
  Send();
  Add(1);
  Send();
  EXPECT_EQ(Take({Yes()}), 1U);
  EXPECT_EQ(Take({Refusal{RefusalCode::kAhead, "number 1 has not come"}}), 0U);
  EXPECT_TRUE(outbox_.in_doubt());
  outbox_.Retry();
  EXPECT_THAT(Send().numbers, ElementsAre(2));
}

TEST_F(OutboxTest, AnAnswerThatMakesNoSenseSettlesNothing) {
  Add(2);
  Send();
  EXPECT_FALSE(outbox_.Take(std::vector<Answer>{Yes()}));
  EXPECT_TRUE(outbox_.in_doubt());
  outbox_.Retry();
  EXPECT_THAT(Send().numbers, ElementsAre(1, 2));
}

TEST_F(OutboxTest, AnAnswerThatCannotBeReadLeavesAllInDoubt) {
  Add(2);
  Send();
  outbox_.Doubt();
  EXPECT_FALSE(outbox_.ready());
  outbox_.Retry();
  EXPECT_THAT(Send().numbers, ElementsAre(1, 2));
}

TEST_F(OutboxTest, ADoubtWithNothingUnderWayIsNone) {
  outbox_.Doubt();
  Add(1);
  EXPECT_THAT(Send().numbers, ElementsAre(1));
}

// ---- the bound

TEST_F(OutboxTest, ItIsFullUntilWhatWaitsIsSettled) {
  Add(std::string(600, 'a'));
  EXPECT_FALSE(outbox_.full());
  Add(std::string(600, 'b'));
  EXPECT_TRUE(outbox_.full());
  EXPECT_GE(outbox_.bytes(), 1200U);
  Send();
  EXPECT_TRUE(outbox_.full()) << "what is under way counts";
  Take({Yes()});
  EXPECT_FALSE(outbox_.full());
}

TEST_F(OutboxTest, NothingIsLeftOfWhatIsSettled) {
  Add(4);
  Send();
  Take({Yes(), Yes(), No(), No()});
  EXPECT_EQ(outbox_.records(), 0U);
  EXPECT_EQ(outbox_.bytes(), 0U);
}

// ---- refusals that prove nothing

TEST_F(OutboxTest, ARelayThatDoesNotKnowTheSessionCanNotTell) {
  Add(2);
  Send();
  EXPECT_EQ(
      Take({Refusal{RefusalCode::kUnknownSession, "who?"}, Refusal{RefusalCode::kUnknownSession, "who?"}}),
      0U);
  EXPECT_TRUE(outbox_.in_doubt());
  outbox_.Retry();
  EXPECT_THAT(Send().numbers, ElementsAre(1, 2));
}

TEST_F(OutboxTest, ARefusalOfTheNodeIsANoOnlyToWhatWasNeverSentBefore) {
  const Answer unknown = Refusal{RefusalCode::kUnknownNode, "not in the config"};
  Add();
  Send();
  EXPECT_EQ(Take({Doubt()}), 0U);
  outbox_.Retry();
  Send();
  EXPECT_EQ(Take({unknown}), 0U) << "an earlier relay may have it";
  outbox_.Retry();
  Send();
  EXPECT_EQ(Take({Yes()}), 1U);
  Add();
  Send();
  EXPECT_EQ(Take({unknown}, true), 0U) << "the relay that was asked first may have it";
  outbox_.Retry();
  Send();
  EXPECT_EQ(Take({Yes()}), 1U);
  Add();
  Send();
  EXPECT_EQ(Take({unknown}), 1U);
}

}  // namespace
}  // namespace hawser
