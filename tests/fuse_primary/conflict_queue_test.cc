#include "fuse_primary/conflict_queue.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace hawser {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr auto kMoment = std::chrono::milliseconds(60);  // long enough to have passed, if it could

LockSet Node(ino_t inode, std::vector<ino_t> lineage = {}) {
  return {{inode}, std::move(lineage), std::nullopt};
}
LockSet Moving(ino_t directory) { return {{1}, {1}, directory}; }

TEST(Conflict, CommonInodesConflictAndOthersDoNot) {
  EXPECT_TRUE(Conflict(Node(5), Node(5)));
  EXPECT_FALSE(Conflict(Node(5), Node(6)));
  EXPECT_FALSE(Conflict(Node(5, {5, 2, 1}), Node(6, {6, 2, 1}))) << "a common directory above is no conflict";
}

TEST(Conflict, AMovedDirectoryConflictsWithAllBelowIt) {
  EXPECT_TRUE(Conflict(Moving(2), Node(5, {5, 2, 1})));
  EXPECT_TRUE(Conflict(Node(5, {5, 2, 1}), Moving(2)));
  EXPECT_FALSE(Conflict(Moving(3), Node(5, {5, 2, 9})));
}

class ConflictQueueTest : public testing::Test {
 protected:
  std::future<void> EnterElsewhere(LockSet locks) {
    return std::async(std::launch::async, [this, locks = std::move(locks)] {
      const auto ticket = queue_.Enter(locks, patience_);
      EXPECT_TRUE(ticket);
    });
  }
  static bool Waits(const std::future<void>& call) {
    return call.wait_for(kMoment) == std::future_status::timeout;
  }

  ConflictQueue queue_;
  const Patience patience_;
};

TEST_F(ConflictQueueTest, ACallWaitsForTheOneItConflictsWith) {
  auto first = std::make_optional(queue_.Enter(Node(5), patience_));
  auto second = EnterElsewhere(Node(5));
  EXPECT_TRUE(Waits(second));
  first.reset();
  EXPECT_EQ(second.wait_for(kPatience), std::future_status::ready);
}

TEST_F(ConflictQueueTest, OthersPass) {
  const auto first = queue_.Enter(Node(5), patience_);
  EXPECT_EQ(EnterElsewhere(Node(6)).wait_for(kPatience), std::future_status::ready);
}

TEST_F(ConflictQueueTest, NobodyOvertakesAWaitingCallThatItConflictsWith) {
  auto writer = std::make_optional(queue_.Enter(Node(5, {5, 2}), patience_));
  auto mover = EnterElsewhere(Moving(2));
  EXPECT_TRUE(Waits(mover));
  auto later =
      EnterElsewhere(Node(6, {6, 2}));  // doesn't conflict with the writer, but with the waiting mover
  EXPECT_TRUE(Waits(later));
  writer.reset();
  EXPECT_EQ(mover.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(later.wait_for(kPatience), std::future_status::ready);
}

TEST_F(ConflictQueueTest, AnInterruptedCallLeavesTheQueue) {
  auto first = std::make_optional(queue_.Enter(Node(5), patience_));
  std::atomic<bool> interrupted{true};
  const auto second = queue_.Enter(Node(5), {std::nullopt, &interrupted});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ECANCELED);
  first.reset();
  EXPECT_TRUE(queue_.Enter(Node(5), patience_));
}

TEST_F(ConflictQueueTest, ACallThatIsOutOfTimeLeavesTheQueueAndHoldsNobodyBack) {
  auto first = std::make_optional(queue_.Enter(Node(5, {5, 2}), patience_));
  const auto mover = queue_.Enter(Moving(2), {SteadyClock::now() + kMoment, nullptr});
  ASSERT_FALSE(mover);
  EXPECT_EQ(mover.error().code, ETIMEDOUT);
  EXPECT_TRUE(queue_.Enter(Node(6, {6, 2}), patience_)) << "the mover waits no more";
}

}  // namespace
}  // namespace hawser
