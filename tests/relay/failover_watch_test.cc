// When the relay puts somebody in the place of a primary by itself, and whom.
#include "relay/failover_watch.h"

#include <gmock/gmock.h>

#include "common/net/heartbeat.h"
#include "tests/relay/promotion_facts_fixture.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FailoverWatchTest : public PromotionFactsTest {
 protected:
  FailoverWatchTest() { Begin(FailoverMode::kAutomatic); }
  void Begin(FailoverMode mode, std::vector<NodeName> candidates = {kCharlie, kAlpha}) {
    watch_.emplace("demo", FailoverConfig{.mode = mode, .detect = 5s, .candidates = std::move(candidates)});
    Look();
  }
  void Look() {
    for (PromotionOrder& order : watch_->Look(facts_, [this] { return ++drawn_; }))
      orders_.push_back(std::move(order));
  }
  void Pass(SteadyClock::duration time) {
    PromotionFactsTest::Pass(time, [this] { Look(); });
  }
  const LostPrimary& Lost() const { return watch_->lost().at(0); }

  std::optional<FailoverWatch> watch_;
  std::vector<PromotionOrder> orders_;
  std::uint64_t drawn_ = 0;
};

TEST_F(FailoverWatchTest, APrimaryThatIsSilentForLongIsReplacedByTheFirstCandidateOnce) {
  GoSilent(kAlpha);
  Pass(5s);
  EXPECT_THAT(orders_, IsEmpty()) << "not for longer than detect";
  Pass(200ms);
  ASSERT_THAT(orders_, SizeIs(1));
  EXPECT_EQ(orders_[0].group, "demo");
  EXPECT_EQ(orders_[0].id, 1U);
  EXPECT_EQ(orders_[0].node, kCharlie);
  EXPECT_THAT(orders_[0].volumes, ElementsAre(kDocs)) << "bravo is there";
  EXPECT_THAT(Lost().why, HasSubstr("not heard of for 5."));
  Pass(4s);
  EXPECT_THAT(orders_, SizeIs(1)) << "it is under way";
}

TEST_F(FailoverWatchTest, OneThatReportsAgainInTimeIsLeftAlone) {
  GoSilent(kAlpha);
  Pass(4900ms);
  Return(kAlpha);
  Pass(20s);
  EXPECT_THAT(orders_, IsEmpty());
  EXPECT_THAT(watch_->lost(), IsEmpty());
}

TEST_F(FailoverWatchTest, AnAttemptThatCameToNothingIsMadeAgain) {
  GoSilent(kAlpha);
  Pass(6s);
  ASSERT_THAT(orders_, SizeIs(1));
  Pass(5s);
  ASSERT_THAT(orders_, SizeIs(2));
  EXPECT_NE(orders_[0].id, orders_[1].id);
}

// In the time in which it isn't looked, nobody listens to the nodes either.
TEST_F(FailoverWatchTest, ARelayThatWasHeldUpTakesNobodyForLost) {
  facts_.now += 1h;
  Look();
  EXPECT_THAT(watch_->lost(), IsEmpty());
  Pass(10s);
  EXPECT_THAT(orders_, IsEmpty()) << "they are there";
  GoSilent(kAlpha);
  facts_.now += 1h;
  Look();
  Pass(4900ms);
  EXPECT_THAT(orders_, IsEmpty());
  Pass(300ms);
  EXPECT_THAT(orders_, SizeIs(1)) << "it was listened to for long enough";
}

TEST_F(FailoverWatchTest, AfterTheRelaysStartAPrimaryHasTheSameTimeToShowUp) {
  Node(kAlpha).heard.reset();
  GoSilent(kAlpha);
  Pass(5s);
  EXPECT_THAT(orders_, IsEmpty());
  Pass(200ms);
  EXPECT_THAT(orders_, SizeIs(1));
}

TEST_F(FailoverWatchTest, APrimaryThatSaysItsStoreHasFailedIsReplacedAtOnce) {
  Replica(kAlpha, kDocs).state = ReplicaState::kDiverged;
  Replica(kAlpha, kDocs).problem = "the store refused a journaled record: Input/output error";
  Pass(100ms);
  ASSERT_THAT(orders_, SizeIs(1));
  EXPECT_EQ(orders_[0].node, kCharlie);
  EXPECT_THAT(Lost().why, HasSubstr("takes no changes of docs any more: the store refused"));
}

// Nor one whose disk is full: that may pass, and writers are told.
TEST_F(FailoverWatchTest, APrimaryThatIsSlowOrInTroubleThatMayPassIsLeftAlone) {
  for (const ReplicaState state : {ReplicaState::kCatchingUp, ReplicaState::kStalled}) {
    Replica(kAlpha, kDocs).state = state;
    Pass(20s);
    EXPECT_THAT(orders_, IsEmpty()) << TextOf(state);
  }
}

TEST_F(FailoverWatchTest, TheFirstCandidateThatIsFitIsTaken) {
  Begin(FailoverMode::kAutomatic, {kCharlie, kAlpha});
  Replica(kCharlie, kMail).state = ReplicaState::kPaused;
  GoSilent(kBravo);
  Pass(6s);
  ASSERT_THAT(orders_, SizeIs(1));
  EXPECT_EQ(orders_[0].node, kAlpha);
  EXPECT_THAT(orders_[0].volumes, ElementsAre(kMail));
}

TEST_F(FailoverWatchTest, IfNobodyIsFitItIsSaidWhyAndGoesOnWhenSomebodyIs) {
  Replica(kCharlie, kDocs).state = ReplicaState::kNeedsSync;
  GoSilent(kAlpha);
  Pass(20s);
  EXPECT_THAT(orders_, IsEmpty());
  EXPECT_FALSE(Lost().candidate);
  EXPECT_THAT(Lost().problem, HasSubstr("the copy of volume docs on node charlie is needs_sync"));
  Replica(kCharlie, kDocs).state = ReplicaState::kLive;
  Pass(100ms);
  EXPECT_THAT(orders_, SizeIs(1));
}

TEST_F(FailoverWatchTest, NobodyIsPromotedByARelayWhoseJournalIsNotWhole) {
  facts_.trouble = "the relay's journal has failed";
  GoSilent(kAlpha);
  Pass(20s);
  EXPECT_THAT(orders_, IsEmpty());
  EXPECT_EQ(Lost().problem, facts_.trouble);
}

TEST_F(FailoverWatchTest, AnObserverSaysWhomItWouldPromoteAndDoesNot) {
  Begin(FailoverMode::kObserve);
  GoSilent(kAlpha);
  Pass(20s);
  EXPECT_THAT(orders_, IsEmpty());
  EXPECT_EQ(Lost().candidate, kCharlie);
}

TEST_F(FailoverWatchTest, ByHandMeansByHand) {
  Begin(FailoverMode::kManual);
  GoSilent(kAlpha);
  Pass(20s);
  EXPECT_THAT(orders_, IsEmpty());
  EXPECT_THAT(watch_->lost(), IsEmpty());
}

}  // namespace
}  // namespace hawser
