#include "node/role_machine.h"

#include <gtest/gtest.h>

#include "common/record/record.h"

namespace hawser {
namespace {

const NodeName kAlpha("alpha");
const NodeName kBravo("bravo");

VolumeFact Primary(const NodeName& node, std::uint64_t generation) {
  return {VolumeName("docs"), node, Generation(generation)};
}
Setback Fenced() { return {Setback::Kind::kFenced, {EROFS, "older generation"}}; }
Setback Diverged() { return {Setback::Kind::kDiverged, {EIO, "the store refused a journaled record"}}; }

// The volume on alpha, which the config makes its first primary.
class RoleMachineTest : public testing::Test {
 protected:
  // In a word: what is to be done.
  std::string Take(const RoleFact& fact) {
    const auto action = alpha_.Take(fact);
    if (!action) return "nothing";
    return std::visit(
        Overloaded{
            [](const BecomePrimary& a) { return "primary in " + std::to_string(a.generation.value); },
            [](const BecomeSecondary&) { return std::string("secondary"); },
            [](const StopChanges& a) { return "stop: " + a.error.message; },
        },
        *action);
  }
  bool HasTrouble(ReplicaState state) const { return alpha_.trouble() && alpha_.trouble()->state == state; }

  RoleMachine alpha_{kAlpha, Primary(kAlpha, 0)};
};

TEST_F(RoleMachineTest, TheRelaySaysWhoIsPrimary) {
  EXPECT_EQ(Take(RelaySays{Primary(kAlpha, 3)}), "primary in 3");
  EXPECT_FALSE(alpha_.trouble());
}

TEST_F(RoleMachineTest, TheRelaysWordCountsMoreThanWhatWasLastHeard) {
  EXPECT_EQ(Take(LastHeard{Primary(kAlpha, 3)}), "nothing");
  EXPECT_EQ(Take(RelaySays{Primary(kBravo, 4)}), "secondary");
  EXPECT_EQ(alpha_.known(), Primary(kBravo, 4));
}

TEST_F(RoleMachineTest, WithoutARelayACopyIsShownAsItWasLeft) {
  Take(LastHeard{Primary(kBravo, 2)});
  EXPECT_FALSE(alpha_.NeedsRelay());
  EXPECT_EQ(Take(RelayIsSilent{}), "secondary");
}

TEST_F(RoleMachineTest, WithoutARelayNobodyIsPrimary) {
  EXPECT_TRUE(alpha_.NeedsRelay()) << "by the config";
  Take(LastHeard{Primary(kAlpha, 2)});
  EXPECT_TRUE(alpha_.NeedsRelay()) << "as last heard";
  EXPECT_EQ(Take(RelayIsSilent{}), "nothing");
  EXPECT_EQ(Take(RelaySays{Primary(kBravo, 3)}), "secondary");
}

TEST_F(RoleMachineTest, AFencedPrimaryTakesNoMoreChanges) {
  Take(RelaySays{Primary(kAlpha, 1)});
  EXPECT_EQ(Take(Fenced()), "stop: older generation");
  EXPECT_TRUE(HasTrouble(ReplicaState::kFenced));
}

TEST_F(RoleMachineTest, APrimaryThatHearsOfANewerGenerationIsFencedBeforeItIsRefused) {
  for (const RoleFact& fact :
       {RoleFact(RelaySays{Primary(kBravo, 2)}), RoleFact(PromoteSeen{Primary(kBravo, 2)})}) {
    alpha_ = RoleMachine(kAlpha, Primary(kAlpha, 0));
    Take(RelaySays{Primary(kAlpha, 1)});
    EXPECT_EQ(Take(fact), "stop: bravo is primary of docs now, in generation 2");
    EXPECT_TRUE(HasTrouble(ReplicaState::kFenced));
  }
}

TEST_F(RoleMachineTest, LateWordsOfTheRelayChangeNothing) {
  Take(RelaySays{Primary(kAlpha, 5)});
  EXPECT_EQ(Take(RelaySays{Primary(kAlpha, 5)}), "nothing");
  EXPECT_EQ(Take(RelaySays{Primary(kBravo, 4)}), "nothing");
  EXPECT_EQ(Take(LastHeard{Primary(kBravo, 6)}), "nothing");
  EXPECT_EQ(Take(RelayIsSilent{}), "nothing");
  EXPECT_EQ(alpha_.known(), Primary(kAlpha, 5));
}

TEST_F(RoleMachineTest, TheFirstTroubleStays) {
  Take(RelaySays{Primary(kAlpha, 1)});
  EXPECT_EQ(Take(Diverged()), "stop: the store refused a journaled record");
  EXPECT_EQ(Take(Fenced()), "nothing");
  EXPECT_TRUE(HasTrouble(ReplicaState::kDiverged));
}

TEST_F(RoleMachineTest, ASecondaryHasNoChangesToStop) {
  Take(RelaySays{Primary(kBravo, 1)});
  EXPECT_EQ(Take(Fenced()), "nothing");
  EXPECT_EQ(Take(RelaySays{Primary(kAlpha, 2)}), "nothing");
  EXPECT_EQ(alpha_.known(), Primary(kAlpha, 2));
  EXPECT_FALSE(alpha_.trouble());
}

TEST_F(RoleMachineTest, NothingIsToBeDoneForAVolumeThatIsStopped) {
  Take(RelaySays{Primary(kAlpha, 1)});
  Take(Stopped{});
  EXPECT_EQ(Take(Diverged()), "nothing");
  EXPECT_EQ(Take(RelaySays{Primary(kBravo, 2)}), "nothing");
}

}  // namespace
}  // namespace hawser
