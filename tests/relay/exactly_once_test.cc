// No loss and no repetition, whatever is resent (I5).
#include <set>

#include "tests/relay/fixture.h"

namespace hawser::test {
namespace {

using namespace std::chrono_literals;

class ExactlyOnceTest : public RelayTest {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Start());
    ASSERT_TRUE(SayHello(kAlpha, 1));
  }

  // Each lane's records are in the journal once, in order, under the sequence that was answered.
  void ExpectJournalHolds(const std::vector<std::vector<Ack>>& acks) {
    std::map<std::uint32_t, std::uint64_t> last;
    std::map<Sequence, std::pair<std::uint32_t, std::uint64_t>> at;
    for (const Received& received : ReadJournal()) {
      if (received.record.origin.node != kAlpha) continue;
      const auto& [node, session, lane, number] = received.record.origin;
      ASSERT_EQ(number, ++last[lane]) << "lane " << lane;
      ASSERT_EQ(received.payload, std::to_string(lane) + " " + std::to_string(number));
      at[received.sequence] = {lane, number};
    }
    for (std::uint32_t lane = 0; lane < acks.size(); ++lane) {
      ASSERT_EQ(last[lane], acks[lane].size()) << "lane " << lane;
      for (std::size_t i = 0; i < acks[lane].size(); ++i)
        ASSERT_EQ(at[acks[lane][i].sequence], std::pair(lane, std::uint64_t{i + 1}));
    }
  }

  // `writes` on each of `lanes` lanes, resending after `resend`, while `meanwhile` happens.
  std::vector<std::vector<Ack>> WriteMuch(std::uint32_t lanes, int writes, std::chrono::milliseconds resend,
                                          const std::function<void(const std::atomic<int>&)>& meanwhile) {
    std::vector<std::vector<Ack>> acks(lanes);
    std::atomic<int> done = 0;
    std::vector<std::thread> threads;
    for (std::uint32_t i = 0; i < lanes; ++i) {
      threads.emplace_back([&, i] {
        Lane lane = MakeLane(i);
        lane.requester().set_resend_after(resend);
        for (int n = 1; n <= writes; ++n) {
          const auto ack = lane.Write(std::to_string(i) + " " + std::to_string(n));
          ASSERT_TRUE(ack) << ack.error().Text();
          acks[i].push_back(*ack);
          ++done;
        }
      });
    }
    meanwhile(done);
    for (std::thread& thread : threads) thread.join();
    return acks;
  }
};

TEST_F(ExactlyOnceTest, ARepetitionIsAnsweredWithTheSameSequence) {
  Lane lane = MakeLane(0);
  const auto first = lane.Write("x");
  ASSERT_TRUE(first) << first.error().Text();
  const auto again = lane.Repeat();
  ASSERT_TRUE(again) << again.error().Text();
  EXPECT_EQ(again->sequence, first->sequence);
  EXPECT_EQ(again->group, first->group);
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(ReadJournal().size(), 3U);
}

// Flushes take longer than requesters are patient: most requests are sent more than once.
TEST_F(ExactlyOnceTest, RequestsResentDuringAFlushAreOneRecord) {
  flushes_.Slow(15ms);
  const auto acks = WriteMuch(6, 15, 10ms, [](const std::atomic<int>&) {});
  ExpectJournalHolds(acks);
}

TEST_F(ExactlyOnceTest, RestartsOfTheRelayNeitherLoseNorRepeat) {
  constexpr int kAll = 6 * 60;
  const auto acks = WriteMuch(6, 60, 30ms, [this](const std::atomic<int>& done) {
    for (int restart = 1; restart <= 4; ++restart) {
      AwaitThat("some writes", [&] { return done.load() >= restart * kAll / 6; });
      Restart();
    }
  });
  ExpectJournalHolds(acks);
}

TEST_F(ExactlyOnceTest, RestartsWithoutTheSavedStateNeitherLoseNorRepeat) {
  const auto acks = WriteMuch(4, 40, 30ms, [this](const std::atomic<int>& done) {
    for (int restart = 1; restart <= 3; ++restart) {
      AwaitThat("some writes", [&] { return done.load() >= restart * 40; });
      relay_.reset();
      ASSERT_EQ(::unlink((config_.relay.journal + "/sequencer.state").c_str()), 0);
      ASSERT_NO_FATAL_FAILURE(Start());
    }
  });
  ExpectJournalHolds(acks);
}

}  // namespace
}  // namespace hawser::test
