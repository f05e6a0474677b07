// No loss and no repetition, whatever is resent (I5).
#include <set>

#include "common/base/state_folder.h"
#include "tests/relay/fixture.h"

namespace hawser::test {
namespace {

using namespace std::chrono_literals;

class ExactlyOnceTest : public RelayTest {
 protected:
  void SetUp() override {
    AddWriters(6);
    ASSERT_NO_FATAL_FAILURE(Start());
    ASSERT_TRUE(SayHello(kAlpha, 1));
  }

  // Each writer's records are in the journal once, in order, under the sequence that was answered.
  void ExpectJournalHolds(const std::vector<std::vector<Ack>>& acks) {
    std::map<NodeName, std::uint64_t> last;
    std::map<Sequence, std::pair<NodeName, std::uint64_t>> at;
    for (const Received& received : ReadJournal()) {
      const auto& [node, session, number] = received.record.origin;
      if (number == 0) continue;  // the relay's own
      ASSERT_EQ(number, ++last[node]) << node.value;
      ASSERT_EQ(received.payload, node.value + " " + std::to_string(number));
      at[received.sequence] = {node, number};
    }
    for (std::size_t writer = 0; writer < acks.size(); ++writer) {
      const NodeName node = WriterName(writer);
      ASSERT_EQ(last[node], acks[writer].size()) << node.value;
      for (std::size_t i = 0; i < acks[writer].size(); ++i)
        ASSERT_EQ(at[acks[writer][i].sequence], std::pair(node, std::uint64_t{i + 1}));
    }
  }

  // `writes` by each of the writers, resending after `resend`, while `meanwhile` happens.
  std::vector<std::vector<Ack>> WriteMuch(std::size_t writers, int writes, std::chrono::milliseconds resend,
                                          const std::function<void(const std::atomic<int>&)>& meanwhile) {
    std::vector<std::vector<Ack>> acks(writers);
    std::atomic<int> done = 0;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < writers; ++i) {
      threads.emplace_back([&, i, writer = std::make_shared<Primary>(Writer(i))] {
        writer->requester().set_resend_after(resend);
        for (int n = 1; n <= writes; ++n) {
          const auto ack = writer->Write(WriterName(i).value + " " + std::to_string(n));
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
  Primary alpha = MakePrimary();
  const auto first = alpha.Write("x");
  ASSERT_TRUE(first) << first.error().Text();
  const std::size_t records = ReadJournal().size();
  const auto again = alpha.Repeat();
  ASSERT_TRUE(again) << again.error().Text();
  EXPECT_EQ(again->sequence, first->sequence);
  EXPECT_EQ(again->group, first->group);
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(ReadJournal().size(), records);
}

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
      ASSERT_EQ(::unlink(SavedStatePath(config_.relay.journal).c_str()), 0);
      ASSERT_NO_FATAL_FAILURE(Start());
    }
  });
  ExpectJournalHolds(acks);
}

}  // namespace
}  // namespace hawser::test
