#include "common/net/replica_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawser {
namespace {

using ::testing::ElementsAre;

TEST(ReplicaState, WordsStandInTheOrderOfSeverityThatTheDesignGives) {
  EXPECT_THAT(ReplicaStateTexts(),
              ElementsAre("live", "catching_up", "syncing", "paused", "differs", "stalled", "fenced",
                          "unmounted", "disconnected", "needs_sync", "diverged", "unknown"));
}

TEST(ReplicaState, EveryWordIsReadBackAsTheStateThatHasIt) {
  for (const std::string_view text : ReplicaStateTexts()) {
    const auto state = ParseReplicaState(text);
    ASSERT_TRUE(state) << text;
    EXPECT_EQ(TextOf(*state), text);
  }
  for (const auto role : {ReplicaRole::kPrimary, ReplicaRole::kSecondary, ReplicaRole::kMixed})
    EXPECT_EQ(ParseReplicaRole(TextOf(role)), role);
  EXPECT_FALSE(ParseReplicaState("fine"));
  EXPECT_FALSE(ParseReplicaState(""));
  EXPECT_FALSE(ParseReplicaRole("relay"));
}

TEST(ReplicaState, TheWorseOfTwoIsTheOneThatComesLaterInTheOrder) {
  EXPECT_EQ(Worse(ReplicaState::kStalled, ReplicaState::kDiverged), ReplicaState::kDiverged);
  EXPECT_EQ(Worse(ReplicaState::kDiverged, ReplicaState::kStalled), ReplicaState::kDiverged);
  EXPECT_EQ(Worse(ReplicaState::kLive, ReplicaState::kLive), ReplicaState::kLive);
}

TEST(ReplicaState, ANodeInBothRolesIsMixed) {
  EXPECT_EQ(Together(ReplicaRole::kPrimary, ReplicaRole::kSecondary), ReplicaRole::kMixed);
  EXPECT_EQ(Together(ReplicaRole::kMixed, ReplicaRole::kSecondary), ReplicaRole::kMixed);
  EXPECT_EQ(Together(ReplicaRole::kPrimary, ReplicaRole::kPrimary), ReplicaRole::kPrimary);
}

}  // namespace
}  // namespace hawser
