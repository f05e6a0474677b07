#include "relay/pull_rounds.h"

#include <gtest/gtest.h>

#include "relay/limits.h"

namespace hawser {
namespace {

PullJob PullOf(const std::string& node, std::uint64_t after = 0) {
  Pull pull;
  pull.from.node = NodeName(node);
  pull.after.group = Group(after);
  return {Asker{}, pull};
}

TEST(PullRounds, ANodeWithManyPullsKeepsOthersWaitingForOneOnly) {
  PullRounds rounds;
  for (std::uint64_t i = 0; i < kPullsANode; ++i) EXPECT_TRUE(rounds.Add(PullOf("charlie", i)));
  EXPECT_FALSE(rounds.Add(PullOf("charlie")));
  EXPECT_TRUE(rounds.Add(PullOf("delta")));
  EXPECT_EQ(rounds.Next()->pull.from.node, NodeName("charlie"));
  EXPECT_EQ(rounds.Next()->pull.from.node, NodeName("delta"));
  EXPECT_EQ(rounds.Next()->pull.from.node, NodeName("charlie"));
  EXPECT_TRUE(rounds.Add(PullOf("charlie")));
}

TEST(PullRounds, TheTurnGoesRoundAndEachNodesPullsKeepTheirOrder) {
  PullRounds rounds;
  for (std::uint64_t i = 1; i <= 2; ++i) {
    for (const char* node : {"delta", "charlie", "bravo"}) EXPECT_TRUE(rounds.Add(PullOf(node, i)));
  }
  for (std::uint64_t i = 1; i <= 2; ++i) {
    for (const char* node : {"bravo", "charlie", "delta"}) {
      const auto next = rounds.Next();
      ASSERT_TRUE(next);
      EXPECT_EQ(next->pull.from.node, NodeName(node));
      EXPECT_EQ(next->pull.after.group, Group(i));
    }
  }
  EXPECT_FALSE(rounds.Next());
}

}  // namespace
}  // namespace hawser
