// Who waits, drives: callers against a relay that answers when the test says so.
#include "fuse_primary/shipper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "common/record/codec.h"
#include "tests/fuse_primary/held_relay.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using test::HeldRelay;
using test::kPatience;
using test::WaitUntil;
using testing::ElementsAre;

// Notes by which answer it was finished, if its caller had left.
class Parcel : public Shipment {
 public:
  explicit Parcel(const void* owner, std::size_t bytes = 100)
      : Shipment(owner, {VolumeName("docs"), Generation(1), {}, SetXattr{FileId(7), {}, "user.a"}},
                 Payload::Of(Buffer(bytes))) {}

  void FinishAlone(const Answer& answer) override {
    if (on_finish) on_finish();
    finished_.set_value(answer);
  }
  std::future<Answer> finished() { return finished_.get_future(); }

  std::function<void()> on_finish;

 private:
  std::promise<Answer> finished_;
};

// A caller in a thread of its own.
struct Caller {
  std::shared_ptr<Parcel> parcel;
  std::unique_ptr<std::atomic<bool>> killed = std::make_unique<std::atomic<bool>>(false);
  std::future<Result<Answer>> answer;

  Result<Answer> Get() {
    if (answer.wait_for(kPatience) == std::future_status::ready) return answer.get();
    return Error{ETIME, "the caller waits and waits"};
  }
};

class ShipperTest : public testing::Test {
 protected:
  Caller Call(std::size_t bytes = 100) {
    Caller caller;
    caller.parcel = std::make_shared<Parcel>(this, bytes);
    caller.answer = std::async(
        std::launch::async, [this, parcel = caller.parcel, killed = caller.killed.get()]() -> Result<Answer> {
          const Patience patience{std::nullopt, killed};
          HAWSER_TRY(shipper_.Queue(parcel, patience));
          return shipper_.Await(*parcel, patience);
        });
    return caller;
  }
  void TearDown() override { shipper_.Forget(this); }

  static bool IsAck(const Result<Answer>& answer) { return answer && std::holds_alternative<Ack>(*answer); }

  NetContext context_;
  HeldRelay relay_;
  KnownHead known_;
  Shipper shipper_{context_, relay_.endpoint(), NodeName("alpha"), 3, known_, {.bytes = 4000}};
};

TEST_F(ShipperTest, ACallerGetsTheAnswerToItsRecord) {
  relay_.AnswerNow();
  Caller caller = Call();
  EXPECT_TRUE(IsAck(caller.Get()));
  EXPECT_EQ(caller.parcel->record.origin, (Origin{NodeName("alpha"), 3, 1}));
}

TEST_F(ShipperTest, WhatComesWhileABatchIsUnderWayGoesOutTogether) {
  const std::size_t most = OutboxLimits().batches;
  std::vector<Caller> callers;
  for (std::size_t i = 1; i <= most; ++i) {
    callers.push_back(Call());
    ASSERT_TRUE(relay_.AwaitBatches(i)) << "each at once, as long as so many may be under way";
  }
  for (int i = 0; i < 5; ++i) callers.push_back(Call());
  ASSERT_TRUE(relay_.AwaitQueued(shipper_, most + 5));
  relay_.AnswerNow();
  for (Caller& caller : callers) EXPECT_TRUE(IsAck(caller.Get()));
  ASSERT_EQ(relay_.batches().size(), most + 1);
  EXPECT_EQ(relay_.batches().back().size(), 5U);
}

TEST_F(ShipperTest, EachCallerGetsItsOwnAnswer) {
  relay_.AnswerNow(HeldRelay::RefuseEven);
  std::vector<Caller> callers;
  for (int i = 0; i < 20; ++i) callers.push_back(Call());
  for (Caller& caller : callers) {
    const auto answer = caller.Get();
    ASSERT_TRUE(answer) << answer.error().Text();
    EXPECT_EQ(std::holds_alternative<Refusal>(*answer), caller.parcel->record.origin.number % 2 == 0);
  }
}

// ---- callers that leave

TEST_F(ShipperTest, TheRecordOfACallerThatLeftIsFinishedWithoutIt) {
  Caller caller = Call();
  ASSERT_TRUE(relay_.AwaitBatches(1));
  *caller.killed = true;
  const auto answer = caller.Get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ECANCELED);
  auto finished = caller.parcel->finished();
  relay_.AnswerNow();
  ASSERT_EQ(finished.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(std::holds_alternative<Ack>(finished.get()));
}

TEST_F(ShipperTest, ADriverThatIsKilledLeavesItsPlaceToTheNext) {
  Caller driver = Call();
  ASSERT_TRUE(relay_.AwaitBatches(1));
  Caller next = Call();
  *driver.killed = true;
  EXPECT_FALSE(driver.Get());
  auto finished = driver.parcel->finished();
  relay_.AnswerNow();
  EXPECT_TRUE(IsAck(next.Get()));
  EXPECT_EQ(finished.wait_for(kPatience), std::future_status::ready);
  EXPECT_THAT(relay_.batches(), ElementsAre(ElementsAre(1), ElementsAre(2)));
}

TEST_F(ShipperTest, NoNumberIsUsedTwiceWhoeverLeaves) {
  for (std::size_t i = 1; i <= 3; ++i) {
    Caller caller = Call();
    ASSERT_TRUE(relay_.AwaitQueued(shipper_, i));
    *caller.killed = true;
    EXPECT_FALSE(caller.Get());
  }
  Caller last = Call();
  relay_.AnswerNow();
  EXPECT_TRUE(IsAck(last.Get()));
  EXPECT_EQ(last.parcel->record.origin.number, 4U);
}

TEST_F(ShipperTest, WhoLeavesBeforeThereIsRoomHasDoneNothing) {
  std::vector<Caller> callers;
  for (int i = 0; i < 2; ++i) callers.push_back(Call(2000));
  ASSERT_TRUE(relay_.AwaitQueued(shipper_, 2));
  Caller late = Call();
  *late.killed = true;
  const auto answer = late.Get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(late.parcel->record.origin.number, 0U) << "it was never queued";
  relay_.AnswerNow();
  for (Caller& caller : callers) EXPECT_TRUE(IsAck(caller.Get()));
}

TEST_F(ShipperTest, WhoWaitsForRoomGetsIt) {
  std::vector<Caller> callers;
  for (int i = 0; i < 8; ++i) callers.push_back(Call(2000));
  ASSERT_TRUE(relay_.AwaitBatches(1));
  relay_.AnswerNow();
  for (Caller& caller : callers) EXPECT_TRUE(IsAck(caller.Get()));
}

// ---- owners that end

// As a remedy is journaled by the shipper's thread while the outbox is full of what callers have left.
TEST_F(ShipperTest, WhoFinishesARecordAloneMayQueueAnotherThoughTheOutboxIsFull) {
  Caller first = Call();
  ASSERT_TRUE(relay_.AwaitBatches(1));
  std::promise<bool> journaled;
  first.parcel->on_finish = [&] {
    const auto remedy = std::make_shared<Parcel>(this);
    const Patience patience{SteadyClock::now() + kPatience, nullptr};
    journaled.set_value(shipper_.Queue(remedy, patience) && IsAck(shipper_.Await(*remedy, patience)));
  };
  Caller large = Call(5000);
  ASSERT_TRUE(relay_.AwaitQueued(shipper_, 2));
  for (Caller* caller : {&first, &large}) {
    *caller->killed = true;
    EXPECT_FALSE(caller->Get());
  }
  relay_.AnswerNow();
  EXPECT_TRUE(journaled.get_future().get());
}

TEST_F(ShipperTest, WhatIsForgottenIsFinishedByNobodyAndTheOthersGoOn) {
  Caller caller = Call();
  ASSERT_TRUE(relay_.AwaitBatches(1));
  *caller.killed = true;
  EXPECT_FALSE(caller.Get());
  std::weak_ptr<Parcel> parcel = caller.parcel;
  caller.parcel->on_finish = [] { ADD_FAILURE() << "finished although it was forgotten"; };
  caller.parcel.reset();
  shipper_.Forget(this);
  EXPECT_TRUE(parcel.expired()) << "what it holds is let go";
  relay_.AnswerNow();
  EXPECT_TRUE(IsAck(Call().Get()));
}

TEST_F(ShipperTest, ForgettingWaitsForWhatIsBeingFinished) {
  std::promise<void> begun;
  std::promise<void> go_on;
  std::atomic<bool> ended{false};
  Caller caller = Call();
  caller.parcel->on_finish = [&] {
    begun.set_value();
    go_on.get_future().wait();
    ended = true;
  };
  ASSERT_TRUE(relay_.AwaitBatches(1));
  *caller.killed = true;
  EXPECT_FALSE(caller.Get());
  relay_.AnswerNow();
  ASSERT_EQ(begun.get_future().wait_for(kPatience), std::future_status::ready);
  auto forgotten = std::async(std::launch::async, [&] {
    shipper_.Forget(this);
    EXPECT_TRUE(ended);
  });
  EXPECT_EQ(forgotten.wait_for(20ms), std::future_status::timeout);
  go_on.set_value();
  EXPECT_EQ(forgotten.wait_for(kPatience), std::future_status::ready);
}

// ---- a relay in trouble

TEST_F(ShipperTest, ARelayThatCannotTellIsAskedAgainForTheSameNumbers) {
  relay_.AnswerNow(HeldRelay::FailFirst);
  Caller caller = Call();
  EXPECT_TRUE(IsAck(caller.Get()));
  EXPECT_THAT(relay_.batches(), ElementsAre(ElementsAre(1), ElementsAre(1)));
}

TEST_F(ShipperTest, ARelayWhoseAnswerMakesNoSenseIsAskedAgainForTheSameNumbers) {
  relay_.AnswerNow(HeldRelay::BabbleFirst);
  Caller caller = Call();
  EXPECT_TRUE(IsAck(caller.Get()));
  EXPECT_THAT(relay_.batches(), ElementsAre(ElementsAre(1), ElementsAre(1)));
}

TEST_F(ShipperTest, ADoubtEndsWithoutAnybodyWaiting) {
  Caller caller = Call();
  ASSERT_TRUE(relay_.AwaitBatches(1));
  *caller.killed = true;
  EXPECT_FALSE(caller.Get());
  auto finished = caller.parcel->finished();
  relay_.AnswerNow(HeldRelay::FailFirst);
  EXPECT_EQ(finished.wait_for(kPatience), std::future_status::ready);
}

// Whatever comes instead of an answer: it settles nothing, and no number is given to another record. A caller
// that waits goes on waiting; one that has left has its record finished all the same.
struct Oddly {
  const char* name;
  HeldRelay::Oddity (*reply)();
};

template <RefusalCode kCode>
HeldRelay::Oddity RefuseAll() {
  return {MessageType::kRefusal, {Encode(Refusal{kCode, "no"})}};
}

void PrintTo(const Oddly& oddly, std::ostream* out) { *out << oddly.name; }

class OddAnswerTest : public ShipperTest, public testing::WithParamInterface<Oddly> {};

TEST_P(OddAnswerTest, TheSameNumberIsAskedForAgainAndGivenToNoOther) {
  Caller waits = Call();
  ASSERT_TRUE(relay_.AwaitBatches(1));
  Caller leaves = Call();
  ASSERT_TRUE(relay_.AwaitBatches(2));
  *leaves.killed = true;
  EXPECT_FALSE(leaves.Get());
  auto finished = leaves.parcel->finished();
  // First both are in doubt: a refusal of who asks proves nothing when they were sent before.
  for (int i = 0; i < 2; ++i) relay_.AnswerOnceOddly(RefuseAll<RefusalCode::kJournalFailed>());
  relay_.AnswerOnceOddly(GetParam().reply());
  relay_.AnswerNow();
  EXPECT_TRUE(IsAck(waits.Get())) << "it is the relay's last word that counts";
  Caller next = Call();
  EXPECT_TRUE(IsAck(next.Get()));
  ASSERT_EQ(finished.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(std::holds_alternative<Ack>(finished.get()));
  EXPECT_EQ(waits.parcel->record.origin.number, 1U);
  EXPECT_EQ(leaves.parcel->record.origin.number, 2U);
  EXPECT_EQ(next.parcel->record.origin.number, 3U);
  EXPECT_THAT(relay_.batches(), ElementsAre(ElementsAre(1), ElementsAre(2), ElementsAre(1, 2),
                                            ElementsAre(1, 2), ElementsAre(3)));
}

INSTANTIATE_TEST_SUITE_P(
    Answers, OddAnswerTest,
    testing::Values(
        Oddly{"Garbage",
              [] {
                return HeldRelay::Oddity{MessageType::kAnswers, {Buffer(7)}};
              }},
        Oddly{"Nothing",
              [] {
                return HeldRelay::Oddity{MessageType::kAnswers, {}};
              }},
        Oddly{"TooMany",
              [] {
                return HeldRelay::Oddity{MessageType::kAnswers, {Encode(Answers{{Ack{}, Ack{}, Ack{}}})}};
              }},
        Oddly{"NoRefusal",
              [] {
                return HeldRelay::Oddity{MessageType::kRefusal, {Buffer(3)}};
              }},
        Oddly{"AnotherMessage",
              [] {
                return HeldRelay::Oddity{MessageType::kOverview, {Encode(Overview{})}};
              }},
        Oddly{"AnUnknownMessage",
              [] {
                return HeldRelay::Oddity{static_cast<MessageType>(99), {Buffer(3)}};
              }},
        Oddly{"BadMessage", RefuseAll<RefusalCode::kBadMessage>},
        Oddly{"WrongVersion", RefuseAll<RefusalCode::kWrongVersion>},
        Oddly{"TooLarge", RefuseAll<RefusalCode::kTooLarge>},
        Oddly{"UnknownNode", RefuseAll<RefusalCode::kUnknownNode>},
        Oddly{"JournalFailed", RefuseAll<RefusalCode::kJournalFailed>},
        Oddly{"UnknownSession", RefuseAll<RefusalCode::kUnknownSession>},
        Oddly{"Ahead", RefuseAll<RefusalCode::kAhead>}, Oddly{"WentBack", RefuseAll<RefusalCode::kWentBack>},
        Oddly{"OtherRun", RefuseAll<RefusalCode::kOtherRun>}),
    [](const auto& tested) { return std::string(tested.param.name); });

// ---- how long it has been silent

TEST_F(ShipperTest, SilenceIsCountedWhileSomethingWaits) {
  EXPECT_EQ(shipper_.silent_for(), 0s);
  Caller first = Call();
  ASSERT_TRUE(relay_.AwaitBatches(1));
  EXPECT_TRUE(WaitUntil([&] { return shipper_.silent_for() > 50ms; }));
  relay_.AnswerNow();
  EXPECT_TRUE(IsAck(first.Get()));
  EXPECT_EQ(shipper_.silent_for(), 0s);
}

TEST_F(ShipperTest, WhoHasNoTimeFromTheBeginningQueuesNothing) {
  const auto parcel = std::make_shared<Parcel>(this);
  const auto queued = shipper_.Queue(parcel, {SteadyClock::now(), nullptr});
  ASSERT_FALSE(queued);
  EXPECT_EQ(queued.error().code, ETIMEDOUT);
  EXPECT_EQ(shipper_.records(), 0U);
}

// ---- many

// More than one mount has threads.
TEST_F(ShipperTest, TwelveHundredCallersWaitAtOnce) {
  constexpr std::size_t kCallers = 1200;
  Shipper shipper(context_, relay_.endpoint(), NodeName("bravo"), 1, known_);
  std::atomic<std::size_t> acknowledged{0};
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < kCallers; ++i) {
    callers.emplace_back([&] {
      const auto parcel = std::make_shared<Parcel>(this);
      if (shipper.Queue(parcel, {}) && IsAck(shipper.Await(*parcel, {}))) ++acknowledged;
    });
  }
  EXPECT_TRUE(relay_.AwaitQueued(shipper, kCallers));
  relay_.AnswerNow();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(acknowledged, kCallers);
  EXPECT_LT(relay_.batches().size(), kCallers / 10);
}

}  // namespace
}  // namespace hawser
