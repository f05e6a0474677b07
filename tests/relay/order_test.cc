// How write groups are cut, and that their order is the order of the calls (I2).
#include <algorithm>

#include "relay/limits.h"
#include "tests/relay/fixture.h"

namespace hawser::test {
namespace {

class OrderTest : public RelayTest {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Start());
    ASSERT_TRUE(SayHello(kAlpha, 1));
    ASSERT_TRUE(SayHello(kBravo, 1));
  }

  // One write on each of `lanes` lanes (from `first` on) at once, in threads. `sent` is called once all are
  // running.
  std::vector<Ack> WriteAtOnce(std::uint32_t first, std::uint32_t lanes, const std::string& payload,
                               const std::function<void()>& sent) {
    std::vector<Ack> acks(lanes);
    std::vector<std::thread> threads;
    for (std::uint32_t i = 0; i < lanes; ++i) {
      threads.emplace_back([this, first, i, &acks, &payload] {
        Lane lane = MakeLane(first + i);
        auto ack = lane.Write(payload);
        if (ack) acks[i] = *ack;
        EXPECT_TRUE(ack) << ack.error().Text();
      });
    }
    sent();
    for (std::thread& thread : threads) thread.join();
    return acks;
  }
};

TEST_F(OrderTest, TheFirstGroupSaysWhoIsPrimary) {
  const auto records = PullAll();
  ASSERT_EQ(records.size(), 2U);
  for (const Received& received : records) {
    EXPECT_EQ(received.group, Group(1));
    EXPECT_EQ(received.record.origin.node, NodeName("relay"));
    EXPECT_EQ(received.record.generation, Generation(1));
    EXPECT_TRUE(std::holds_alternative<Promote>(received.record.body));
  }
}

TEST_F(OrderTest, OneWriteIsOneGroup) {
  Lane lane = MakeLane(0);
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto ack = lane.Write("abc");
    ASSERT_TRUE(ack) << ack.error().Text();
    EXPECT_EQ(ack->sequence, Sequence(3 + i));
    EXPECT_EQ(ack->group.position.group, Group(2 + i));
    EXPECT_EQ(ack->group.position.sequence, ack->sequence);
    EXPECT_FALSE(ack->repeated);
  }
}

// Whether all requests have arrived while the flush is held cannot be seen from outside, so the time given to
// them grows until they have.
TEST_F(OrderTest, WhatArrivesDuringAFlushIsTheNextGroup) {
  constexpr std::uint32_t kWriters = 16;
  std::uint32_t lane = 0;
  for (auto time = std::chrono::milliseconds(10);; time *= 2) {
    ASSERT_LT(time, kPatience) << "the writers never made one group";
    flushes_.Hold();
    std::thread first([this, lane] { EXPECT_TRUE(MakeLane(lane).Write("first")); });
    flushes_.AwaitHeld();
    const auto acks = WriteAtOnce(lane + 1, kWriters, "others", [&] {
      std::this_thread::sleep_for(time);
      flushes_.Release();
    });
    first.join();
    lane += kWriters + 1;
    if (std::all_of(acks.begin(), acks.end(), [&](const Ack& ack) { return ack.group == acks[0].group; })) {
      std::vector<Sequence> sequences;
      for (const Ack& ack : acks) sequences.push_back(ack.sequence);
      std::sort(sequences.begin(), sequences.end());
      for (std::uint32_t i = 0; i < kWriters; ++i) EXPECT_EQ(sequences[i].value, sequences[0].value + i);
      return;
    }
  }
}

TEST_F(OrderTest, AGroupStaysWithinItsLimitInBytes) {
  constexpr std::uint32_t kWriters = 24;
  flushes_.Hold();
  std::thread first([this] { EXPECT_TRUE(MakeLane(100).Write("first")); });
  flushes_.AwaitHeld();
  WriteAtOnce(0, kWriters, std::string(kMaxPayloadBytes, 'x'), [this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // so that they pile up, if they do
    flushes_.Release();
  });
  first.join();
  std::map<Group, std::uint64_t> bytes;
  for (const Received& received : ReadJournal()) bytes[received.group] += received.payload.size();
  std::uint64_t all = 0;
  for (const auto& [group, size] : bytes) {
    EXPECT_LE(size, kMaxGroupBytes) << group.value;
    all += size;
  }
  EXPECT_EQ(all, kWriters * kMaxPayloadBytes + 5);
}

// A call that began after another had returned comes after it, and in a later group: on whatever lane, node
// and volume.
TEST_F(OrderTest, ACallMadeAfterAnotherReturnedIsInALaterGroup) {
  struct Call {
    std::uint64_t began;
    std::uint64_t returned;
    Ack ack;
  };
  constexpr int kThreads = 8;
  constexpr int kCalls = 100;
  std::atomic<std::uint64_t> clock = 0;
  std::vector<std::vector<Call>> calls(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const bool even = i % 2 == 0;
      Lane lane = LaneOf(even ? kAlpha : kBravo, even ? kDocs : kMail, static_cast<std::uint32_t>(i));
      for (int n = 0; n < kCalls; ++n) {
        const std::uint64_t began = ++clock;
        const auto ack = lane.Write("x");
        ASSERT_TRUE(ack) << ack.error().Text();
        calls[static_cast<std::size_t>(i)].push_back({began, ++clock, *ack});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::vector<Call> all;
  for (const auto& some : calls) all.insert(all.end(), some.begin(), some.end());
  for (const Call& a : all) {
    for (const Call& b : all) {
      if (a.returned >= b.began) continue;
      ASSERT_LT(a.ack.sequence, b.ack.sequence);
      ASSERT_LT(a.ack.group.position.group, b.ack.group.position.group);
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Call& a, const Call& b) { return a.ack.sequence < b.ack.sequence; });
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i].ack.sequence, Sequence(3 + i));
}

TEST_F(OrderTest, AHelloIsAnsweredAfterTheGroupInProgress) {
  flushes_.Hold();
  std::thread writer([this] { EXPECT_TRUE(MakeLane(0).Write("in progress")); });
  flushes_.AwaitHeld();
  std::atomic<bool> answered = false;
  std::thread greeter([&] {
    const auto welcome = SayHello(kAlpha, 2);
    answered.store(true);
    ASSERT_TRUE(welcome) << welcome.error().Text();
    EXPECT_EQ(welcome->group, "demo");
    EXPECT_EQ(welcome->head.position.sequence, Sequence(3));
    ASSERT_EQ(welcome->volumes.size(), 2U);
    EXPECT_EQ(welcome->volumes[0], (VolumeFact{kDocs, kAlpha, Generation(1)}));
  });
  EXPECT_FALSE(answered.load());
  flushes_.Release();
  writer.join();
  greeter.join();
}

}  // namespace
}  // namespace hawser::test
