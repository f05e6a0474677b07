#include "common/record/head_times.h"

#include <gtest/gtest.h>

namespace hawser {
namespace {

using namespace std::chrono_literals;

const SteadyClock::time_point kBegin = SteadyClock::time_point() + 1h;

TEST(HeadTimes, SaysSinceWhenSomethingLacks) {
  HeadTimes heads;
  EXPECT_EQ(heads.Since(Group(0)), std::nullopt);
  heads.Found(Group(3), kBegin);
  heads.Found(Group(5), kBegin + 10s);
  EXPECT_EQ(heads.Since(Group(0)), kBegin);
  EXPECT_EQ(heads.Since(Group(2)), kBegin);
  EXPECT_EQ(heads.Since(Group(3)), kBegin + 10s);
  EXPECT_EQ(heads.Since(Group(5)), std::nullopt);
}

TEST(HeadTimes, TheSameHeadAgainIsNoNews) {
  HeadTimes heads;
  heads.Found(Group(3), kBegin);
  heads.Found(Group(3), kBegin + 10s);
  heads.Found(Group(2), kBegin + 20s);
  EXPECT_EQ(heads.Since(Group(1)), kBegin);
  EXPECT_EQ(heads.Since(Group(3)), std::nullopt);
}

TEST(HeadTimes, WhatNobodyAsksForGoes) {
  HeadTimes heads;
  heads.Found(Group(3), kBegin);
  heads.Found(Group(5), kBegin + 10s);
  heads.Forget(Group(3));
  EXPECT_EQ(heads.Since(Group(0)), kBegin + 10s);
}

TEST(HeadTimes, LongLagsAreThinnedOutToTheSideOfLongerOnes) {
  constexpr std::uint64_t kDay = 24 * 3600;
  HeadTimes heads;
  for (std::uint64_t second = 1; second <= kDay; ++second) heads.Found(Group(second), kBegin + second * 1s);
  for (const std::uint64_t applied :
       {std::uint64_t{0}, kDay / 2, kDay - 3600, kDay - 60, kDay - 2, kDay - 1}) {
    const auto since = heads.Since(Group(applied));
    ASSERT_TRUE(since) << applied;
    const auto true_lag = (kDay - applied - 1) * 1s;
    const auto lag = kBegin + kDay * 1s - *since;
    EXPECT_GE(lag, true_lag) << applied;
    EXPECT_LE(lag, true_lag + true_lag / 8) << applied;
  }
}

}  // namespace
}  // namespace hawser
