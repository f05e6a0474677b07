#include "fuse_primary/applied_mark.h"

#include <gtest/gtest.h>

namespace hawser {
namespace {

Progress At(std::uint64_t group) {
  Progress progress;
  progress.position.group = Group(group);
  progress.position.sequence = Sequence(group * 10);
  return progress;
}

std::uint64_t Mark(const AppliedMark& mark) { return mark.Get().position.group.value; }

TEST(AppliedMark, FollowsWhatIsKnownWhileNothingIsInFlight) {
  AppliedMark mark(At(5));
  EXPECT_EQ(Mark(mark), 5U);
  mark.Known(At(9));
  EXPECT_EQ(Mark(mark), 9U);
  EXPECT_EQ(mark.Get().position.sequence, Sequence(90));
}

TEST(AppliedMark, StaysBeforeACallInFlight) {
  AppliedMark mark(At(5));
  const auto call = mark.Begin();
  mark.Known(At(9));  // its record may be in 6 to 9, or later
  EXPECT_EQ(Mark(mark), 5U);
  mark.Done(call);
  EXPECT_EQ(Mark(mark), 9U);
}

TEST(AppliedMark, TheOldestCallBoundsIt) {
  AppliedMark mark(At(1));
  const auto slow = mark.Begin();
  mark.Known(At(2));
  const auto quick = mark.Begin();
  mark.Known(At(3));
  mark.Done(quick);
  EXPECT_EQ(Mark(mark), 1U);
  const auto third = mark.Begin();
  mark.Done(slow);
  EXPECT_EQ(Mark(mark), 3U);
  EXPECT_FALSE(mark.idle());
  mark.Done(third);
  EXPECT_TRUE(mark.idle());
}

TEST(AppliedMark, OldNewsDoNotTakeItBack) {
  AppliedMark mark(At(5));
  mark.Known(At(3));
  EXPECT_EQ(Mark(mark), 5U);
}

}  // namespace
}  // namespace hawser
