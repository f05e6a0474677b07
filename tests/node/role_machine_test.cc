#include "node/role_machine.h"

#include <gtest/gtest.h>

#include "common/record/record.h"

namespace hawser {
namespace {

const NodeName kAlpha("alpha");
const NodeName kBravo("bravo");

VolumeFact Primary(const NodeName& node, std::uint64_t generation, std::uint64_t since = 0) {
  return {VolumeName("docs"), node, Generation(generation), Sequence(since)};
}
Setback Fenced() { return {Setback::Kind::kFenced, {EROFS, "older generation"}}; }
Setback Diverged() { return {Setback::Kind::kDiverged, {EIO, "the store refused a journaled record"}}; }
CopyStands At(std::uint64_t applied) { return {Sequence(applied), true}; }

// The volume on alpha, which the config makes its first primary.
class RoleMachineTest : public testing::Test {
 protected:
  // In a word: what has to be done at once.
  std::string Take(const RoleFact& fact) {
    const auto stop = alpha_.Take(fact);
    return stop ? "stop: " + stop->error.message : "nothing";
  }
  // In a word: which role is due.
  std::string Due() const {
    const auto due = alpha_.Due();
    if (!due) return "none";
    const auto* primary = std::get_if<BecomePrimary>(&*due);
    return primary ? "primary in " + std::to_string(primary->generation.value) : "secondary";
  }
  std::string Begin() {
    const auto due = alpha_.Due();
    const auto stop = due ? alpha_.Began(*due) : std::nullopt;
    return stop ? "stop: " + stop->error.message : "nothing";
  }
  bool HasTrouble(ReplicaState state) const { return alpha_.trouble() && alpha_.trouble()->state == state; }
  void BeginAs(const VolumeFact& fact) {
    Take(RelaySays{fact});
    EXPECT_EQ(Begin(), "nothing");
  }

  RoleMachine alpha_{kAlpha, Primary(kAlpha, 0)};
};

TEST_F(RoleMachineTest, TheRelaySaysWhoIsPrimary) {
  EXPECT_EQ(Due(), "none");
  EXPECT_EQ(Take(RelaySays{Primary(kAlpha, 3)}), "nothing");
  EXPECT_EQ(Due(), "primary in 3");
  EXPECT_EQ(Begin(), "nothing");
  EXPECT_EQ(Due(), "none");
  EXPECT_FALSE(alpha_.trouble());
}

TEST_F(RoleMachineTest, TheRelaysWordCountsMoreThanWhatWasLastHeard) {
  EXPECT_EQ(Take(LastHeard{Primary(kAlpha, 3)}), "nothing");
  EXPECT_EQ(Due(), "none");
  Take(RelaySays{Primary(kBravo, 2)});
  EXPECT_EQ(Due(), "secondary");
  EXPECT_EQ(alpha_.known(), Primary(kBravo, 2));
}

TEST_F(RoleMachineTest, WithoutARelayACopyIsShownAsItWasLeft) {
  Take(LastHeard{Primary(kBravo, 2)});
  EXPECT_FALSE(alpha_.NeedsRelay());
  Take(RelayIsSilent{});
  EXPECT_EQ(Due(), "secondary");
}

TEST_F(RoleMachineTest, WithoutARelayNobodyIsPrimary) {
  EXPECT_TRUE(alpha_.NeedsRelay()) << "by the config";
  Take(LastHeard{Primary(kAlpha, 2)});
  EXPECT_TRUE(alpha_.NeedsRelay()) << "as last heard";
  Take(RelayIsSilent{});
  EXPECT_EQ(Due(), "none");
  Take(RelaySays{Primary(kBravo, 3)});
  EXPECT_EQ(Due(), "secondary");
}

TEST_F(RoleMachineTest, AFencedPrimaryTakesNoMoreChangesAndWaitsForTheRelayToSayWhoIsPrimary) {
  BeginAs(Primary(kAlpha, 1));
  EXPECT_EQ(Take(Fenced()), "stop: older generation");
  EXPECT_TRUE(HasTrouble(ReplicaState::kFenced));
  EXPECT_EQ(Due(), "none");
  EXPECT_EQ(Take(RelaySays{Primary(kBravo, 2)}), "nothing") << "it has stopped already";
  EXPECT_EQ(Due(), "secondary");
  Begin();
  EXPECT_FALSE(alpha_.trouble());
}

TEST_F(RoleMachineTest, APrimaryThatHearsOfANewerGenerationStopsAndBecomesSecondary) {
  BeginAs(Primary(kAlpha, 1));
  EXPECT_EQ(Take(RelaySays{Primary(kBravo, 2)}), "stop: bravo is primary of docs now, in generation 2");
  EXPECT_TRUE(HasTrouble(ReplicaState::kFenced));
  EXPECT_EQ(Due(), "secondary");
  EXPECT_EQ(Due(), "secondary") << "until it has begun";
  EXPECT_EQ(Begin(), "nothing");
  EXPECT_EQ(Due(), "none");
  EXPECT_TRUE(alpha_.secondary());
}

TEST_F(RoleMachineTest, ASecondaryBecomesPrimaryWhenItHasAllThatWasThereBefore) {
  BeginAs(Primary(kBravo, 1));
  EXPECT_EQ(Take(CopyStands{Sequence(99), true}), "nothing");
  Take(RelaySays{Primary(kAlpha, 2, 100)});
  EXPECT_EQ(Due(), "none") << "one record is missing";
  Take(At(100));
  EXPECT_EQ(Due(), "primary in 2");
  EXPECT_EQ(Begin(), "nothing");
  EXPECT_TRUE(alpha_.primary());
}

TEST_F(RoleMachineTest, ACopyThatIsNotTheVolumeIsNoPrimary) {
  BeginAs(Primary(kBravo, 1));
  Take(RelaySays{Primary(kAlpha, 2, 100)});
  Take(CopyStands{Sequence(200), false});
  EXPECT_EQ(Due(), "none");
}

// What the other one wrote meanwhile has to be applied.
TEST_F(RoleMachineTest, APrimaryThatWasReplacedAndIsItAgainBecomesSecondaryFirst) {
  BeginAs(Primary(kAlpha, 1));
  EXPECT_EQ(Take(RelaySays{Primary(kAlpha, 3, 100)}), "stop: alpha is primary of docs now, in generation 3");
  EXPECT_EQ(Due(), "secondary");
  Begin();
  EXPECT_EQ(Due(), "none");
  Take(At(100));
  EXPECT_EQ(Due(), "primary in 3");
}

// Where the copy stood then says nothing.
TEST_F(RoleMachineTest, WhatACopyHadBeforeItWasPrimaryDoesNotCountAfterwards) {
  BeginAs(Primary(kBravo, 1));
  Take(At(500));
  Take(RelaySays{Primary(kAlpha, 2, 100)});
  Begin();
  Take(RelaySays{Primary(kBravo, 3, 600)});
  Begin();
  Take(RelaySays{Primary(kAlpha, 4, 400)});
  EXPECT_EQ(Due(), "none");
}

TEST_F(RoleMachineTest, OneThatIsSupersededWhileItBeginsTakesNoChanges) {
  BeginAs(Primary(kBravo, 1));
  Take(At(100));
  Take(RelaySays{Primary(kAlpha, 2, 100)});
  const auto due = alpha_.Due();
  ASSERT_TRUE(due);
  EXPECT_EQ(Take(RelaySays{Primary(kBravo, 3, 100)}), "nothing") << "it isn't primary yet";
  const auto stop = alpha_.Began(*due);
  ASSERT_TRUE(stop);
  EXPECT_EQ(stop->error.message, "bravo is primary of docs now, in generation 3");
  EXPECT_EQ(Due(), "secondary");
}

TEST_F(RoleMachineTest, LateWordsOfTheRelayChangeNothing) {
  BeginAs(Primary(kAlpha, 5));
  EXPECT_EQ(Take(RelaySays{Primary(kAlpha, 5)}), "nothing");
  EXPECT_EQ(Take(RelaySays{Primary(kBravo, 4)}), "nothing");
  EXPECT_EQ(Take(LastHeard{Primary(kBravo, 6)}), "nothing");
  EXPECT_EQ(Take(RelayIsSilent{}), "nothing");
  EXPECT_EQ(alpha_.known(), Primary(kAlpha, 5));
  EXPECT_EQ(Due(), "none");
}

TEST_F(RoleMachineTest, TheFirstTroubleStays) {
  BeginAs(Primary(kAlpha, 1));
  EXPECT_EQ(Take(Diverged()), "stop: the store refused a journaled record");
  EXPECT_EQ(Take(Fenced()), "nothing");
  EXPECT_TRUE(HasTrouble(ReplicaState::kDiverged));
  EXPECT_EQ(Due(), "none") << "nobody else is primary";
}

TEST_F(RoleMachineTest, ASecondaryHasNoChangesToStop) {
  BeginAs(Primary(kBravo, 1));
  EXPECT_EQ(Take(Fenced()), "nothing");
  EXPECT_EQ(Take(RelaySays{Primary(kAlpha, 2)}), "nothing");
  EXPECT_FALSE(alpha_.trouble());
}

TEST_F(RoleMachineTest, OneThatIsLeftOutIsTriedAgainAsACopyOnly) {
  Take(RelaySays{Primary(kAlpha, 1)});
  alpha_.LeftOut();
  EXPECT_EQ(Due(), "none");
  Take(RelaySays{Primary(kBravo, 2)});
  EXPECT_EQ(Due(), "secondary");
}

TEST_F(RoleMachineTest, NothingIsToBeDoneForAVolumeThatIsStopped) {
  BeginAs(Primary(kAlpha, 1));
  Take(Stopped{});
  EXPECT_EQ(Take(Diverged()), "nothing");
  EXPECT_EQ(Take(RelaySays{Primary(kBravo, 2)}), "nothing");
  EXPECT_EQ(Due(), "none");
}

}  // namespace
}  // namespace hawser
