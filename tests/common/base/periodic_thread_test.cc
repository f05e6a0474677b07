#include "common/base/periodic_thread.h"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/support/process.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

TEST(PeriodicThreadTest, CallsAgainAndAgain) {
  std::atomic<int> calls = 0;
  const PeriodicThread thread(1ms, [&] { ++calls; });
  EXPECT_TRUE(test::WaitUntil([&] { return calls >= 3; }));
}

TEST(PeriodicThreadTest, StoppingDoesNotWaitForTheNextCall) {
  std::atomic<int> calls = 0;
  PeriodicThread thread(1h, [&] { ++calls; });
  thread.Stop();  // else the test's time runs out
  EXPECT_EQ(calls, 0);
}

TEST(PeriodicThreadTest, StoppingWaitsForTheCallUnderWay) {
  std::atomic<bool> begun = false, released = false, ended = false;
  PeriodicThread thread(1ms, [&] {
    begun = true;
    ended = test::WaitUntil([&] { return released.load(); });
  });
  ASSERT_TRUE(test::WaitUntil([&] { return begun.load(); }));
  std::thread releaser([&] { released = true; });
  thread.Stop();
  EXPECT_TRUE(ended);
  releaser.join();
}

}  // namespace
}  // namespace hawser
