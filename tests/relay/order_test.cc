// How write groups are cut, and that their order is the order of the calls (I2).
#include <algorithm>

#include "relay/limits.h"
#include "tests/relay/fixture.h"

namespace hawser::test {
namespace {

constexpr std::size_t kWriters = 24;

class OrderTest : public RelayTest {
 protected:
  void SetUp() override {
    AddWriters(kWriters);
    ASSERT_NO_FATAL_FAILURE(Start());
    ASSERT_TRUE(SayHello(kAlpha, 1));
    ASSERT_TRUE(SayHello(kBravo, 1));
    for (std::size_t i = 0; i < kWriters; ++i) writers_.push_back(std::make_unique<Primary>(Writer(i)));
  }

  // One write of each of the writers at once, in threads. `sent` is called once all are running.
  std::vector<Ack> WriteAtOnce(const std::string& payload, const std::function<void()>& sent) {
    std::vector<Ack> acks(kWriters);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kWriters; ++i) {
      threads.emplace_back([this, i, &acks, &payload] {
        auto ack = writers_[i]->Write(payload);
        if (ack) acks[i] = *ack;
        EXPECT_TRUE(ack) << ack.error().Text();
      });
    }
    sent();
    for (std::thread& thread : threads) thread.join();
    return acks;
  }

  std::vector<std::unique_ptr<Primary>> writers_;
};

TEST_F(OrderTest, TheFirstGroupSaysWhoIsPrimary) {
  auto records = PullAll();
  ASSERT_GT(records.size(), 2 + kWriters);
  records.resize(2 + kWriters);
  for (const Received& received : records) {
    EXPECT_EQ(received.group, Group(1));
    EXPECT_EQ(received.record.origin.node, NodeName("relay"));
    EXPECT_EQ(received.record.generation, Generation(1));
    EXPECT_TRUE(std::holds_alternative<Promote>(received.record.body));
  }
}

TEST_F(OrderTest, OneWriteIsOneGroup) {
  Primary alpha = MakePrimary();
  Sequence head = HeadNow();
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto ack = alpha.Write("abc");
    ASSERT_TRUE(ack) << ack.error().Text();
    EXPECT_EQ(ack->sequence, head = Next(head));
    EXPECT_EQ(ack->group.position.sequence, ack->sequence);
    EXPECT_FALSE(ack->repeated);
  }
}

// Whether all requests have arrived while the flush is held cannot be seen from outside, so the time given to
// them grows until they have.
TEST_F(OrderTest, WhatArrivesDuringAFlushIsTheNextGroup) {
  Primary alpha = MakePrimary();
  for (auto time = std::chrono::milliseconds(10);; time *= 2) {
    ASSERT_LT(time, kPatience) << "the writers never made one group";
    flushes_.Hold();
    std::thread first([&] { EXPECT_TRUE(alpha.Write("first")); });
    flushes_.AwaitHeld();
    const auto acks = WriteAtOnce("others", [&] {
      std::this_thread::sleep_for(time);
      flushes_.Release();
    });
    first.join();
    if (std::all_of(acks.begin(), acks.end(), [&](const Ack& ack) { return ack.group == acks[0].group; })) {
      std::vector<Sequence> sequences;
      for (const Ack& ack : acks) sequences.push_back(ack.sequence);
      std::sort(sequences.begin(), sequences.end());
      for (std::size_t i = 0; i < kWriters; ++i) EXPECT_EQ(sequences[i].value, sequences[0].value + i);
      return;
    }
  }
}

TEST_F(OrderTest, AGroupStaysWithinItsLimitInBytes) {
  flushes_.Hold();
  std::thread first([this] { EXPECT_TRUE(MakePrimary().Write("first")); });
  flushes_.AwaitHeld();
  WriteAtOnce(std::string(kMaxPayloadBytes, 'x'), [this] {
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

// A call that began after another had returned comes after it, and in a later group: on whatever node and
// volume.
TEST_F(OrderTest, ACallMadeAfterAnotherReturnedIsInALaterGroup) {
  struct Call {
    std::uint64_t began;
    std::uint64_t returned;
    Ack ack;
  };
  constexpr int kThreads = 8;
  const Sequence before = HeadNow();
  constexpr int kCalls = 100;
  std::atomic<std::uint64_t> clock = 0;
  std::vector<std::vector<Call>> calls(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Primary& writer = *writers_[static_cast<std::size_t>(i)];
      for (int n = 0; n < kCalls; ++n) {
        const std::uint64_t began = ++clock;
        const auto ack = writer.Write("x");
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
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i].ack.sequence, Sequence(before.value + 1 + i));
}

TEST_F(OrderTest, AHelloIsAnsweredAfterTheGroupInProgress) {
  const Sequence before = HeadNow();
  flushes_.Hold();
  std::thread writer([this] { EXPECT_TRUE(MakePrimary().Write("in progress")); });
  flushes_.AwaitHeld();
  std::atomic<bool> answered = false;
  std::thread greeter([&] {
    const auto welcome = SayHello(kAlpha, 2);
    answered.store(true);
    ASSERT_TRUE(welcome) << welcome.error().Text();
    EXPECT_EQ(welcome->head.position.sequence, Sequence(before.value + 2));  // the write and the session
    ASSERT_EQ(welcome->volumes.size(), 2U + kWriters);
    EXPECT_EQ(welcome->volumes[0], (VolumeFact{kDocs, kAlpha, Generation(1)}));
  });
  EXPECT_FALSE(answered.load());
  flushes_.Release();
  writer.join();
  greeter.join();
}

}  // namespace
}  // namespace hawser::test
