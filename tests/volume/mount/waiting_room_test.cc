#include "volume/mount/waiting_room.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/process.h"

namespace hawser {
namespace {

using test::WaitUntil;

// Notes who has run; runs until it may end.
class WaitingRoomTest : public testing::Test {
 protected:
  class Call : public WaitingRoom::Guest {
   public:
    Call(WaitingRoomTest& test, int number, std::size_t size)
        : WaitingRoom::Guest(size), test_(test), number_(number) {}
    void Run() override {
      test_.Begun(number_);
      WaitUntil([this] { return test_.may_end_ || killed(); });
    }
    bool killed() const override { return test_.killed_ == number_; }

   private:
    WaitingRoomTest& test_;
    const int number_;
  };

  void TearDown() override {
    may_end_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

  // In a thread of its own, as each request is read by one.
  void Send(int number, std::size_t bytes = 1) {
    threads_.emplace_back([this, number, bytes] {
      room_.Run(std::make_unique<Call>(*this, number, bytes));
      ++free_;
    });
  }
  void Begun(int number) {
    const MutexLock lock(mutex_);
    begun_.push_back(number);
  }
  std::vector<int> begun() const {
    const MutexLock lock(mutex_);
    return begun_;
  }
  bool AwaitBegun(const std::vector<int>& numbers) {
    return WaitUntil([&] { return begun() == numbers; });
  }
  bool AwaitFree(int threads) {
    return WaitUntil([&] { return free_ == threads; });
  }

  WaitingRoom room_{10};
  std::atomic<bool> may_end_ = false;
  std::atomic<int> killed_ = 0;
  std::atomic<int> free_ = 0;  // threads that serve others again
  std::vector<std::thread> threads_;
  mutable Mutex mutex_;
  std::vector<int> begun_;
};

TEST_F(WaitingRoomTest, CallsBeyondTheThreadsWaitWithoutOneAndAreRunInOrder) {
  room_.AllowThreads(1);
  Send(1);
  ASSERT_TRUE(AwaitBegun({1}));
  for (int i = 2; i <= 4; ++i) {
    Send(i);
    ASSERT_TRUE(AwaitFree(i - 1));
  }
  EXPECT_EQ(begun(), (std::vector{1}));
  may_end_ = true;
  EXPECT_TRUE(AwaitFree(4));
  EXPECT_EQ(begun(), (std::vector{1, 2, 3, 4}));
}

TEST_F(WaitingRoomTest, OneWhoseCallerIsKilledDoesNotWaitForThoseBeforeIt) {
  room_.AllowThreads(1);
  Send(1);
  ASSERT_TRUE(AwaitBegun({1}));
  for (int i = 2; i <= 4; ++i) {
    Send(i);
    ASSERT_TRUE(AwaitFree(i - 1));
  }
  killed_ = 3;
  room_.RunKilled();
  EXPECT_EQ(begun(), (std::vector{1, 3}));
  may_end_ = true;
  EXPECT_TRUE(AwaitFree(4));
  EXPECT_EQ(begun(), (std::vector{1, 3, 2, 4}));
}

TEST_F(WaitingRoomTest, WhatHasNoRoomTakesAThread) {
  room_.AllowThreads(1);
  Send(1);
  ASSERT_TRUE(AwaitBegun({1}));
  Send(2, 10);
  ASSERT_TRUE(AwaitFree(1));
  Send(3);
  ASSERT_TRUE(AwaitBegun({1, 3}));
}

TEST_F(WaitingRoomTest, OneThreadIsAlwaysAllowed) {
  room_.AllowThreads(0);
  Send(1);
  EXPECT_TRUE(AwaitBegun({1}));
}

}  // namespace
}  // namespace hawser
