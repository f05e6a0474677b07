// The decisions of promotions, step by step: what the nodes report, what follows from it.
#include "relay/promotions.h"

#include <gmock/gmock.h>

#include <set>

#include "common/net/heartbeat.h"
#include "relay/limits.h"
#include "tests/relay/promotion_facts_fixture.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kAttempt = 77;

class PromotionsTest : public PromotionFactsTest {
 protected:
  void ApplyAll(std::uint64_t sequence) {
    for (const VolumeName& volume : {kDocs, kMail}) Apply(kCharlie, volume, sequence);
  }
  void Lag(const VolumeName& volume, std::uint64_t applied, SteadyClock::duration time) {
    ReplicaStatus& copy = Replica(kCharlie, volume);
    copy.state = ReplicaState::kCatchingUp;
    copy.applied->position.sequence = Sequence(applied);
    copy.lag = hawser::Lag{100 - applied, 0, time};
  }

  void Pass(SteadyClock::duration time) {
    PromotionFactsTest::Pass(time, [this] { Look(); });
  }
  // It has been silent for long.
  void Lose(const NodeName& node) {
    GoSilent(node);
    Pass(kSilentAfter + 1ms);
  }
  void Look() {
    for (Handover& handover : promotions_.Look(facts_)) handovers_.push_back(std::move(handover));
  }

  Promotion Ask(std::uint64_t id = kAttempt, const NodeName& node = kCharlie,
                const std::vector<VolumeName>& volumes = {}, std::chrono::milliseconds timeout = 30s) {
    EXPECT_TRUE(
        promotions_.Ask({"demo", id, node, volumes, static_cast<std::uint64_t>(timeout.count())}, facts_));
    Look();
    return promotions_.Told(id);
  }
  Promotion AskFor(const std::vector<VolumeName>& volumes, std::chrono::milliseconds timeout = 30s) {
    return Ask(kAttempt, kCharlie, volumes, timeout);
  }
  std::vector<Hold> Holds(const NodeName& node) { return promotions_.TellHolds(node, facts_.now); }
  // The primary has been told, has nothing under way any more, and reports so.
  void Stop(const NodeName& node, const VolumeName& volume, std::uint64_t id = kAttempt) {
    ASSERT_THAT(Holds(node), ElementsAre(hawser::Hold{volume, id}));
    Replica(node, volume).held_for = id;
    Pass(100ms);
  }
  // The writer does what it was told last.
  void Journal() {
    ASSERT_FALSE(handovers_.empty());
    const Handover handover = handovers_.back();
    const Sequence acknowledged = facts_.journal.head.position.sequence;
    for (const Handover::Volume& volume : handover.volumes) {
      for (VolumeFact& fact : facts_.journal.volumes) {
        if (fact.volume != volume.volume) continue;
        EXPECT_EQ(fact.generation, volume.from);
        facts_.made[fact.volume] =
            Promote{handover.to, fact.primary, acknowledged, volume.planned, handover.attempt};
        fact = {fact.volume, handover.to, Next(fact.generation), acknowledged};
      }
    }
    SetHead(acknowledged.value + handover.volumes.size());
    Look();
  }
  void Serve(const VolumeName& volume, std::uint64_t generation, std::uint64_t applied) {
    MakePrimary(kCharlie, volume, generation);
    Replica(kCharlie, volume).state = ReplicaState::kLive;
    Apply(kCharlie, volume, applied);
    Pass(100ms);
  }
  void ExpectRefused(const Promotion& told, const std::string& what) {
    EXPECT_TRUE(told.settled);
    EXPECT_THAT(told.problem, HasSubstr(what));
    EXPECT_THAT(handovers_, IsEmpty());
    EXPECT_THAT(Holds(kAlpha), IsEmpty());
    EXPECT_FALSE(promotions_.any_under_way());
  }

  Promotions promotions_;
  std::vector<Handover> handovers_;
};

// ---- planned

TEST_F(PromotionsTest, APlannedPromotionHoldsLetsApplyJournalsAndWaitsUntilTheNodeServes) {
  EXPECT_FALSE(AskFor({kDocs}).settled);
  EXPECT_THAT(Holds(kBravo), IsEmpty());
  ASSERT_THAT(Holds(kAlpha), ElementsAre(hawser::Hold{kDocs, kAttempt}));
  EXPECT_THAT(Ask().progress, HasSubstr("alpha has still to finish"));
  Pass(1s);
  EXPECT_THAT(handovers_, IsEmpty());

  SetHead(120);  // what alpha finished until then
  Stop(kAlpha, kDocs);
  EXPECT_THAT(Ask().progress, HasSubstr("charlie still has 20 records to apply"));
  EXPECT_THAT(handovers_, IsEmpty());
  Apply(kCharlie, kDocs, 120);
  Pass(100ms);
  ASSERT_EQ(handovers_.size(), 1U);
  EXPECT_EQ(handovers_[0].to, kCharlie);
  EXPECT_EQ(handovers_[0].attempt, kAttempt);
  ASSERT_EQ(handovers_[0].volumes.size(), 1U);
  EXPECT_EQ(handovers_[0].volumes[0].volume, kDocs);
  EXPECT_EQ(handovers_[0].volumes[0].from, Generation(1));
  EXPECT_TRUE(handovers_[0].volumes[0].planned);
  // Not before the journal says so.
  EXPECT_THAT(Holds(kAlpha), ElementsAre(hawser::Hold{kDocs, kAttempt}));
  EXPECT_EQ(Ask().volumes[0].generation, Generation(0));
  Pass(1s);
  EXPECT_EQ(handovers_.size(), 1U) << "told twice";

  Journal();
  EXPECT_THAT(Holds(kAlpha), IsEmpty());
  EXPECT_FALSE(Ask().settled);
  EXPECT_FALSE(Ask().volumes[0].serves);
  Serve(kDocs, 2, 120);
  const Promotion done = Ask();
  EXPECT_TRUE(done.settled);
  EXPECT_EQ(done.problem, "");
  ASSERT_EQ(done.volumes.size(), 1U);
  EXPECT_EQ(done.volumes[0].volume, kDocs);
  EXPECT_EQ(done.volumes[0].from, "alpha");
  EXPECT_EQ(done.volumes[0].generation, Generation(2));
  EXPECT_TRUE(done.volumes[0].planned);
  EXPECT_EQ(done.volumes[0].acknowledged, Sequence(120));
  EXPECT_EQ(done.volumes[0].applied, Sequence(120));
  EXPECT_TRUE(done.volumes[0].serves);
}

TEST_F(PromotionsTest, WritersGoOnUntilTheCopyIsNear) {
  Lag(kDocs, 10, 5s);
  EXPECT_THAT(AskFor({kDocs}).progress, HasSubstr("catches up while writers go on: 90 records"));
  EXPECT_THAT(Holds(kAlpha), IsEmpty());
  Lag(kDocs, 60, 1s);
  Pass(100ms);
  EXPECT_THAT(Holds(kAlpha), ElementsAre(hawser::Hold{kDocs, kAttempt}));
}

TEST_F(PromotionsTest, AfterHalfOfTheTimeWritersAreHeldHoweverFarTheCopyIs) {
  Lag(kDocs, 10, 5s);
  AskFor({kDocs}, 10s);
  Pass(5s - 100ms);
  EXPECT_THAT(Holds(kAlpha), IsEmpty());
  Pass(100ms);
  EXPECT_THAT(Holds(kAlpha), ElementsAre(hawser::Hold{kDocs, kAttempt}));
}

// Records of other volumes go on coming; what has to be applied is what there was when alpha had stopped.
TEST_F(PromotionsTest, WhatHasToBeAppliedIsTheHeadWhenTheHoldWasSeenFirst) {
  AskFor({kDocs});
  SetHead(120);
  Stop(kAlpha, kDocs);
  SetHead(500);
  Apply(kCharlie, kDocs, 119);
  Pass(100ms);
  EXPECT_THAT(handovers_, IsEmpty());
  Apply(kCharlie, kDocs, 120);
  Pass(100ms);
  EXPECT_EQ(handovers_.size(), 1U);
}

// Left from before a restart of the relay: since then it may have gone on.
TEST_F(PromotionsTest, AHoldThatWasReportedBeforeItWasAskedForDoesNotCount) {
  Replica(kAlpha, kDocs).held_for = kAttempt;
  AskFor({kDocs});
  Holds(kAlpha);  // the answer to that report
  Look();
  EXPECT_THAT(handovers_, IsEmpty());
  Stop(kAlpha, kDocs);
  EXPECT_EQ(handovers_.size(), 1U);
}

TEST_F(PromotionsTest, APrimaryThatHoldsNoMoreHasToDoSoAgain) {
  AskFor({kDocs});
  SetHead(120);
  Stop(kAlpha, kDocs);
  Replica(kAlpha, kDocs).held_for = 0;  // started anew
  Pass(100ms);
  SetHead(130);
  Apply(kCharlie, kDocs, 125);
  Stop(kAlpha, kDocs);
  EXPECT_THAT(handovers_, IsEmpty());
  Apply(kCharlie, kDocs, 130);
  Pass(100ms);
  EXPECT_EQ(handovers_.size(), 1U);
}

TEST_F(PromotionsTest, AllVolumesMoveTogether) {
  EXPECT_FALSE(Ask().settled);
  Stop(kAlpha, kDocs);
  EXPECT_THAT(handovers_, IsEmpty());
  Stop(kBravo, kMail);
  ASSERT_EQ(handovers_.size(), 1U);
  EXPECT_EQ(handovers_[0].volumes.size(), 2U);
  Journal();
  Serve(kDocs, 2, 100);
  EXPECT_FALSE(Ask().settled);
  Serve(kMail, 2, 100);
  EXPECT_TRUE(Ask().settled);
  EXPECT_EQ(Ask().problem, "");
}

TEST_F(PromotionsTest, ANodeThatIsPrimaryOfAllAlreadyIsDoneAtOnce) {
  const Promotion done = Ask(kAttempt, kBravo);
  EXPECT_TRUE(done.settled);
  EXPECT_EQ(done.problem, "");
  EXPECT_EQ(done.progress, "node bravo was primary already");
  ASSERT_EQ(done.volumes.size(), 1U);
  EXPECT_EQ(done.volumes[0].from, "bravo");
  EXPECT_EQ(done.volumes[0].generation, Generation(1));
  EXPECT_TRUE(done.volumes[0].serves);
  EXPECT_THAT(handovers_, IsEmpty());
}

// What isn't known isn't said: the journal names it, and it doesn't answer.
TEST_F(PromotionsTest, ANodeThatIsPrimaryByTheJournalOnlyIsWaitedFor) {
  Lose(kBravo);
  EXPECT_FALSE(Ask(kAttempt, kBravo, {}, 5s).settled);
  Pass(5s);
  EXPECT_TRUE(Ask().settled);
  EXPECT_THAT(Ask().problem,
              HasSubstr("bravo is primary now, and does not take changes yet: node bravo is not"));
}

TEST_F(PromotionsTest, OfNamedVolumesThoseThatTheNodeHasAlreadyAreNotedOnly) {
  const Promotion told = Ask(kAttempt, kAlpha, {kDocs, kMail});
  ASSERT_EQ(told.volumes.size(), 1U);
  EXPECT_EQ(told.volumes[0].volume, kMail);
}

// ---- failover

TEST_F(PromotionsTest, APrimaryThatDoesNotAnswerIsNotWaitedFor) {
  Lose(kAlpha);
  Lag(kDocs, 40, 60s);
  AskFor({kDocs});
  ASSERT_EQ(handovers_.size(), 1U);
  EXPECT_FALSE(handovers_[0].volumes[0].planned);
  Journal();
  EXPECT_THAT(Ask().progress, HasSubstr("60 records of volume docs to apply"));
  Serve(kDocs, 2, 99);  // before the drain
  EXPECT_FALSE(Ask().settled);
  Serve(kDocs, 2, 100);
  const Promotion done = Ask();
  EXPECT_TRUE(done.settled);
  EXPECT_EQ(done.problem, "");
  EXPECT_FALSE(done.volumes[0].planned);
  EXPECT_EQ(done.volumes[0].acknowledged, Sequence(100));
}

TEST_F(PromotionsTest, APrimaryWhoseVolumeIsFencedOrDivergedDoesNotAnswer) {
  const auto fails_over = [this] {
    handovers_.clear();
    promotions_ = {};
    AskFor({kDocs});
    return handovers_.size() == 1;
  };
  EXPECT_FALSE(fails_over());
  for (const ReplicaState state : {ReplicaState::kFenced, ReplicaState::kDiverged, ReplicaState::kUnknown}) {
    Replica(kAlpha, kDocs).state = state;
    EXPECT_TRUE(fails_over()) << TextOf(state);
  }
  Replica(kAlpha, kDocs).state = ReplicaState::kStalled;
  EXPECT_FALSE(fails_over());
}

TEST_F(PromotionsTest, APrimaryThatIsStartingIsGivenAMomentAndIsFailedOverAfterThat) {
  for (const bool primary : {false, true}) {
    handovers_.clear();
    promotions_ = {};
    Replica(kAlpha, kDocs).role = primary ? ReplicaRole::kPrimary : ReplicaRole::kSecondary;
    Replica(kAlpha, kDocs).generation = Generation(0);
    EXPECT_THAT(AskFor({kDocs}).progress, HasSubstr("waiting for a word of node alpha"));
    EXPECT_THAT(handovers_, IsEmpty());
    Pass(kSilentAfter);
    ASSERT_EQ(handovers_.size(), 1U);
    EXPECT_FALSE(handovers_[0].volumes[0].planned);
  }
  handovers_.clear();
  promotions_ = {};
  AskFor({kDocs});
  MakePrimary(kAlpha, kDocs, 1);
  Pass(100ms);
  EXPECT_THAT(Holds(kAlpha), ElementsAre(hawser::Hold{kDocs, kAttempt}));
}

TEST_F(PromotionsTest, APrimaryThatGoesSilentWhileItIsHeldIsFailedOver) {
  AskFor({kDocs});
  SetHead(120);
  Stop(kAlpha, kDocs);
  GoSilent(kAlpha);
  Pass(kSilentAfter - 1ms);
  EXPECT_THAT(handovers_, IsEmpty());
  Pass(2ms);
  ASSERT_EQ(handovers_.size(), 1U);
  EXPECT_FALSE(handovers_[0].volumes[0].planned);
}

TEST_F(PromotionsTest, APrimaryThatGoesSilentWhileItIsApproachedIsFailedOver) {
  Lag(kDocs, 10, 60s);
  AskFor({kDocs});
  Lose(kAlpha);
  ASSERT_EQ(handovers_.size(), 1U);
  EXPECT_FALSE(handovers_[0].volumes[0].planned);
}

TEST_F(PromotionsTest, WithoutNamesOnlyVolumesOfPrimariesThatDoNotAnswerMove) {
  Lose(kAlpha);
  Ask();
  ASSERT_EQ(handovers_.size(), 1U);
  ASSERT_EQ(handovers_[0].volumes.size(), 1U);
  EXPECT_EQ(handovers_[0].volumes[0].volume, kDocs);
  Journal();
  Serve(kDocs, 2, 100);
  EXPECT_TRUE(Ask().settled);
  EXPECT_THAT(Ask().progress, HasSubstr("volume mail stayed with its primary, which answers"));
}

TEST_F(PromotionsTest, NamedVolumesMoveWhetherTheirPrimariesAnswerOrNot) {
  Lose(kAlpha);
  Ask(kAttempt, kCharlie, {kDocs, kMail});
  EXPECT_THAT(handovers_, IsEmpty());  // together
  Stop(kBravo, kMail);
  ASSERT_EQ(handovers_.size(), 1U);
  EXPECT_FALSE(handovers_[0].volumes[0].planned);
  EXPECT_TRUE(handovers_[0].volumes[1].planned);
}

// A primary that died a moment ago: what moves follows from whether it answers.
TEST_F(PromotionsTest, AnOverdueReportIsWaitedForBeforeItIsDecidedWhatMoves) {
  GoSilent(kAlpha);
  Pass(800ms);
  EXPECT_THAT(Ask().progress, HasSubstr("waiting for a word of node alpha"));
  EXPECT_THAT(Holds(kBravo), IsEmpty());
  Pass(800ms);
  ASSERT_EQ(handovers_.size(), 1U);
  EXPECT_EQ(handovers_[0].volumes.size(), 1U);
}

TEST_F(PromotionsTest, ARelayThatWasJustStartedWaitsForTheNodes) {
  facts_.early = true;
  for (const NodeName& node : {kAlpha, kCharlie}) {
    Node(node).heard.reset();
    GoSilent(node);
  }
  EXPECT_THAT(AskFor({kDocs}).progress, HasSubstr("nodes alpha and charlie"));
  silent_.erase(kCharlie);
  Pass(3s);
  EXPECT_FALSE(Ask().settled);
  EXPECT_THAT(handovers_, IsEmpty());
  facts_.early = false;
  Pass(100ms);
  EXPECT_EQ(handovers_.size(), 1U);
}

// ---- refused

TEST_F(PromotionsTest, ANodeWithoutACopyIsRefused) {
  ExpectRefused(Ask(kAttempt, kBravo, {kDocs}), "node bravo holds no copy of volume docs");
}

TEST_F(PromotionsTest, AnUnknownVolumeIsRefused) {
  ExpectRefused(AskFor({VolumeName("attic")}), "volume 'attic' is not in the relay's config");
}

TEST_F(PromotionsTest, ANodeThatIsNotConnectedIsRefused) {
  Lose(kCharlie);
  ExpectRefused(Ask(), "node charlie is not connected");
}

TEST_F(PromotionsTest, ANodeThatIsNotFitIsRefusedWithTheReasonAndWhatToDo) {
  const std::pair<ReplicaState, std::string> kCases[] = {
      {ReplicaState::kPaused, "paused; let it go on with 'hawser resume charlie' first"},
      {ReplicaState::kStalled, "stalled: the reason; remove what is in its way"},
      {ReplicaState::kNeedsSync, "needs_sync: the reason; it can't be brought"},
      {ReplicaState::kDiverged, "diverged: the reason; it can't be brought"},
      {ReplicaState::kSyncing, "syncing: the reason; wait until it is whole"},
      {ReplicaState::kDiffers, "differs: the reason; put right the paths"},
      {ReplicaState::kUnmounted, "unmounted: the reason; start 'hawser mount charlie' again"},
      {ReplicaState::kUnknown, "unknown: the reason; see its log"},
  };
  for (const auto& [state, text] : kCases) {
    promotions_ = {};
    Replica(kCharlie, kMail).state = state;
    Replica(kCharlie, kMail).problem = state == ReplicaState::kPaused ? "" : "the reason";
    ExpectRefused(Ask(), "the copy of volume mail on node charlie is " + text);
  }
  promotions_ = {};
  EXPECT_FALSE(AskFor({kDocs}).settled);  // that one is well
}

TEST_F(PromotionsTest, AFormerPrimaryMayTakeAMomentToBecomeACopyAndIsRefusedAfterThat) {
  MakePrimary(kCharlie, kDocs, 0);
  Replica(kCharlie, kDocs).state = ReplicaState::kFenced;
  EXPECT_FALSE(AskFor({kDocs}).settled);
  Pass(kSilentAfter);
  ExpectRefused(AskFor({kDocs}), "charlie is fenced; it was primary of volume docs until lately");
  promotions_ = {};
  AskFor({kDocs});
  Replica(kCharlie, kDocs).role = ReplicaRole::kSecondary;
  Replica(kCharlie, kDocs).state = ReplicaState::kLive;
  Pass(100ms);
  EXPECT_THAT(Holds(kAlpha), ElementsAre(hawser::Hold{kDocs, kAttempt}));
}

TEST_F(PromotionsTest, ARelayWithoutAWholeJournalPromotesNobody) {
  facts_.trouble = "the relay's journal has failed";
  ExpectRefused(Ask(), "node charlie can't be promoted: the relay's journal has failed");
}

TEST_F(PromotionsTest, AVolumeIsInOneAttemptAtATime) {
  AskFor({kDocs});
  const Promotion second = Ask(78, kCharlie, {kDocs, kMail});
  EXPECT_TRUE(second.settled);
  EXPECT_THAT(second.problem, HasSubstr("volume docs is being moved to node charlie already"));
  EXPECT_FALSE(Ask(79, kCharlie, {kMail}).settled);
  Stop(kBravo, kMail, 79);
  ASSERT_EQ(handovers_.size(), 1U);
  EXPECT_EQ(handovers_[0].attempt, 79U);
  EXPECT_FALSE(Ask().settled);
}

TEST_F(PromotionsTest, AfterAnAttemptIsOverTheVolumeIsFree) {
  AskFor({kDocs}, 1s);
  Pass(2s);
  EXPECT_TRUE(Ask().settled);
  EXPECT_FALSE(Ask(78, kCharlie, {kDocs}).settled);
}

// ---- taken back

TEST_F(PromotionsTest, WhatIsNotJournaledByItsDeadlineIsTakenBack) {
  AskFor({kDocs}, 10s);
  ASSERT_THAT(Holds(kAlpha), ElementsAre(hawser::Hold{kDocs, kAttempt}));
  Pass(10s - 100ms);
  EXPECT_FALSE(Ask().settled);
  Pass(100ms);
  const Promotion over = Ask();
  EXPECT_TRUE(over.settled);
  EXPECT_THAT(over.problem, HasSubstr("node charlie was not promoted, alpha stays primary: after 10 s node "
                                      "alpha has still to finish changes that are under way"));
  EXPECT_EQ(over.volumes[0].generation, Generation(0));
  EXPECT_THAT(Holds(kAlpha), IsEmpty());
  Replica(kAlpha, kDocs).held_for = kAttempt;  // too late
  Pass(1s);
  EXPECT_THAT(handovers_, IsEmpty());
}

TEST_F(PromotionsTest, ACandidateThatGoesAwayOrTurnsBadIsTakenBack) {
  AskFor({kDocs});
  Holds(kAlpha);
  Lose(kCharlie);
  EXPECT_TRUE(Ask().settled);
  EXPECT_THAT(Ask().problem, HasSubstr("alpha stays primary: node charlie is not connected"));
  EXPECT_THAT(Holds(kAlpha), IsEmpty());

  silent_.clear();
  Pass(100ms);
  Lag(kDocs, 10, 60s);
  Ask(78, kCharlie, {kDocs});
  Replica(kCharlie, kDocs).state = ReplicaState::kStalled;
  Pass(100ms);
  EXPECT_THAT(Ask(78).problem,
              HasSubstr("alpha stays primary: the copy of volume docs on node charlie is stalled"));
}

TEST_F(PromotionsTest, AnAttemptEndsWithTheReasonIfTheWriterCanNotJournalIt) {
  AskFor({kDocs});
  Stop(kAlpha, kDocs);
  ASSERT_EQ(handovers_.size(), 1U);
  Pass(60s);  // it can't be taken back while the writer has it
  EXPECT_FALSE(Ask().settled);
  promotions_.Failed({kAttempt, "no room", false});
  EXPECT_THAT(Ask().problem, HasSubstr("alpha stays primary: no room"));
  EXPECT_THAT(Holds(kAlpha), IsEmpty());
}

// Somebody else decided, by whatever way: what this one rests on is no longer so.
TEST_F(PromotionsTest, AVolumeThatGotAnotherPrimaryMeanwhileIsLeftAlone) {
  AskFor({kDocs});
  facts_.journal.volumes[0] = {kDocs, kBravo, Generation(2), Sequence(100)};
  facts_.made[kDocs] = Promote{kBravo, kAlpha, Sequence(100), false, 5};
  Pass(100ms);
  EXPECT_TRUE(Ask().settled);
  EXPECT_THAT(Ask().problem, HasSubstr("volume docs has got another primary meanwhile"));
  EXPECT_THAT(handovers_, IsEmpty());
}

TEST_F(PromotionsTest, AJournalThatFailsMeanwhileEndsTheAttempt) {
  AskFor({kDocs});
  ASSERT_THAT(Holds(kAlpha), ElementsAre(hawser::Hold{kDocs, kAttempt}));
  facts_.trouble = "the relay's journal has failed";
  Pass(100ms);
  EXPECT_TRUE(Ask().settled);
  EXPECT_THAT(Ask().problem, HasSubstr("the relay's journal has failed"));
  EXPECT_THAT(Holds(kAlpha), IsEmpty());
}

TEST_F(PromotionsTest, ANodeThatIsReplacedBeforeItServesIsToldSo) {
  Lose(kAlpha);
  AskFor({kDocs});
  Journal();
  facts_.journal.volumes[0] = {kDocs, kBravo, Generation(3), Sequence(101)};
  facts_.made[kDocs] = Promote{kBravo, kCharlie, Sequence(101), false, 5};
  Pass(100ms);
  EXPECT_TRUE(Ask().settled);
  EXPECT_THAT(Ask().problem,
              HasSubstr("node charlie was made primary of volume docs, and another one after it"));
}

TEST_F(PromotionsTest, AFailureThatComesForNoHandoverChangesNothing) {
  AskFor({kDocs});
  promotions_.Failed({kAttempt, "no room", false});
  promotions_.Failed({78, "no room", false});
  EXPECT_FALSE(Ask().settled);
}

TEST_F(PromotionsTest, IfTheJournalHasFailedNobodyKnows) {
  AskFor({kDocs});
  Stop(kAlpha, kDocs);
  promotions_.Failed({kAttempt, "the journal has failed", true});
  EXPECT_TRUE(Ask().settled);
  EXPECT_THAT(Ask().problem,
              HasSubstr("it isn't known whether node charlie was promoted: the journal has failed"));
}

// ---- after the journal

TEST_F(PromotionsTest, WhatIsJournaledStaysAndIsSettledWithWhatIsMissingWhenTimeIsUp) {
  Lose(kAlpha);
  Lag(kDocs, 40, 60s);
  AskFor({kDocs}, 10s);
  Journal();
  Pass(10s);
  const Promotion over = Ask();
  EXPECT_TRUE(over.settled);
  EXPECT_THAT(over.problem,
              HasSubstr("node charlie is primary now, and does not take changes yet: it still has "
                        "60 records of volume docs to apply"));
  EXPECT_EQ(over.volumes[0].generation, Generation(2));
}

TEST_F(PromotionsTest, ANodeThatDivergesWhileItTakesOverIsNotWaitedFor) {
  Lose(kAlpha);
  AskFor({kDocs});
  Journal();
  Replica(kCharlie, kDocs).state = ReplicaState::kDiverged;
  Pass(100ms);
  EXPECT_TRUE(Ask().settled);
  EXPECT_THAT(Ask().problem, HasSubstr("charlie is primary now, and does not take changes yet: the copy of "
                                       "volume docs on node charlie is diverged"));
}

TEST_F(PromotionsTest, ANodeThatIsAwayWhileItTakesOverIsWaitedFor) {
  Lose(kAlpha);
  AskFor({kDocs});
  Journal();
  Lose(kCharlie);
  EXPECT_FALSE(Ask().settled);
  silent_.erase(kCharlie);
  Serve(kDocs, 2, 100);
  EXPECT_TRUE(Ask().settled);
  EXPECT_EQ(Ask().problem, "");
}

TEST_F(PromotionsTest, AskedAgainAfterARestartOfTheRelayAJournaledAttemptGoesOn) {
  AskFor({kDocs});
  Stop(kAlpha, kDocs);
  Journal();
  promotions_ = {};
  handovers_.clear();
  const Promotion told = AskFor({kDocs});
  EXPECT_FALSE(told.settled);
  ASSERT_EQ(told.volumes.size(), 1U);
  EXPECT_EQ(told.volumes[0].from, "alpha");
  EXPECT_EQ(told.volumes[0].generation, Generation(2));
  EXPECT_TRUE(told.volumes[0].planned);
  EXPECT_EQ(told.volumes[0].acknowledged, Sequence(100));
  Serve(kDocs, 2, 100);
  EXPECT_TRUE(Ask().settled);
  EXPECT_EQ(Ask().problem, "");
  EXPECT_THAT(handovers_, IsEmpty());
}

TEST_F(PromotionsTest, AskedAgainAfterARestartOfTheRelayAnAttemptThatIsNotJournaledBeginsAnew) {
  AskFor({kDocs});
  Stop(kAlpha, kDocs);
  promotions_ = {};
  handovers_.clear();
  AskFor({kDocs});
  EXPECT_THAT(handovers_, IsEmpty());
  Stop(kAlpha, kDocs);
  EXPECT_EQ(handovers_.size(), 1U);
}

TEST_F(PromotionsTest, TheLogIsToldOfEachAttemptsBeginningAndEnd) {
  const auto news = [this] {
    std::string text;
    for (const log::Line& line : promotions_.TakeNews()) text += (line.bad ? "! " : "") + line.text + "\n";
    return text;
  };
  Ask();
  EXPECT_EQ(news(), "node charlie is to become primary of volumes docs and mail\n");
  Ask();
  EXPECT_EQ(news(), "");
  Ask(78, kBravo, {kDocs});
  EXPECT_THAT(news(), HasSubstr("! volume docs is being moved to node charlie already"));
  Stop(kAlpha, kDocs);
  Stop(kBravo, kMail);
  Journal();
  Serve(kDocs, 2, 100);
  Serve(kMail, 2, 100);
  EXPECT_EQ(news(), "node charlie takes changes as primary\n");
}

// Whoever asks without a remainder of time doesn't want it begun.
TEST_F(PromotionsTest, WithoutTimeNothingIsBegun) {
  Lose(kAlpha);
  ExpectRefused(AskFor({kDocs}, 0s), "there is no time left");
}

TEST_F(PromotionsTest, ASettledAttemptIsRememberedAsLongAsSomebodyAsks) {
  AskFor({kDocs}, 1s);
  Pass(1s);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Ask().settled);
    Pass(kPromotionIsKept);
  }
  Pass(1ms);
  EXPECT_FALSE(AskFor({kDocs}).settled) << "it is still remembered";
}

TEST_F(PromotionsTest, ThereAreNotMoreThanCanBeRemembered) {
  for (std::uint64_t id = 1; id <= kMostPromotions; ++id) Ask(id, kCharlie, {VolumeName("attic")});
  EXPECT_FALSE(promotions_.Ask({"demo", kMostPromotions + 1, kCharlie, {}, 1000}, facts_));
  EXPECT_TRUE(promotions_.Ask({"demo", 1, kCharlie, {}, 1000}, facts_));
}

}  // namespace
}  // namespace hawser
