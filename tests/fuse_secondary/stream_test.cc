// What a secondary receives: catching up, the live stream, and what gets lost between them.

#include <gmock/gmock.h>

#include "common/base/files.h"
#include "tests/fuse_secondary/secondary_fixture.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class StreamTest : public SecondaryTest {
 protected:
  // Some groups with some files each, in both volumes.
  void WriteSome(int groups, bool publish = true) {
    for (int i = 0; i < groups; ++i) {
      const std::string name = "f" + std::to_string(next_++);
      relay_.Group({docs_.Create(name), mail_.Create(name)}, publish);
      relay_.Group({docs_.Write(name, 0, std::string(1000, 'x')), mail_.Write(name, 10, name)}, publish);
    }
  }

  int next_ = 0;
};

TEST_F(StreamTest, StartsWithNothingAndCatchesUp) {
  WriteSome(50);
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  ExpectEqualTrees("docs");
  ExpectEqualTrees("mail");
  EXPECT_TRUE(WaitForState("docs", ReplicaState::kLive));
  EXPECT_EQ(Report("docs").role, ReplicaRole::kSecondary);
  EXPECT_EQ(replica().Report().received, relay_.head());
}

TEST_F(StreamTest, CatchesUpInManyBoundedPulls) {
  for (int i = 0; i < 20; ++i) {
    const std::string name = "big" + std::to_string(i);
    relay_.Group({docs_.Create(name)});
    relay_.Group({docs_.Write(name, 0, std::string(60 * kKiB, static_cast<char>('a' + i)))});
  }
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  EXPECT_GE(relay_.pulls(), 20u);
  ExpectEqualTrees("docs");
}

TEST_F(StreamTest, FollowsTheLiveStreamWithoutPulling) {
  WriteSome(1);
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  // From here on the subscription is known to be there: a published group arrives by itself.
  ASSERT_TRUE(WaitForState("docs", ReplicaState::kLive));
  const auto pulls = relay_.pulls();
  WriteSome(20);
  ASSERT_TRUE(WaitUntilCaughtUp());
  EXPECT_EQ(relay_.pulls(), pulls);
  ExpectEqualTrees("docs");
}

TEST_F(StreamTest, LostMessagesArePulled) {
  ASSERT_OK(Start());
  for (int i = 0; i < 40; ++i) WriteSome(1, i % 3 != 0);
  ASSERT_TRUE(WaitUntilCaughtUp());
  ExpectEqualTrees("docs");
  ExpectEqualTrees("mail");
}

TEST_F(StreamTest, LostLastMessageIsFoundByTheHead) {
  WriteSome(1);
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  WriteSome(1, false);
  ASSERT_TRUE(WaitUntilCaughtUp());
  ExpectEqualTrees("docs");
}

TEST_F(StreamTest, RepeatedMessagesAreDropped) {
  WriteSome(5);
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  for (std::uint64_t group = 1; group <= 10; ++group) relay_.Republish(Group(group));
  WriteSome(1);
  ASSERT_TRUE(WaitUntilCaughtUp());
  EXPECT_TRUE(WaitForState("docs", ReplicaState::kLive));
  ExpectEqualTrees("docs");
}

TEST_F(StreamTest, JoinsWhileWritersGoOn) {
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) WriteSome(1);
  });
  ASSERT_TRUE(WaitUntil([&] { return relay_.head().position.group > Group(40); }));
  const Status started = Start();
  if (started) {
    EXPECT_TRUE(WaitForState("mail", ReplicaState::kLive));
  }
  stop = true;
  writer.join();
  ASSERT_OK(started);
  ASSERT_TRUE(WaitUntilCaughtUp());
  ExpectEqualTrees("docs");
  ExpectEqualTrees("mail");
}

TEST_F(StreamTest, RelayAwayIsDisconnectedAndGoesOnByItself) {
  options_.disconnected_after = 300ms;
  WriteSome(3);
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  relay_.GoAway();
  ASSERT_TRUE(WaitForState("docs", ReplicaState::kDisconnected));
  WriteSome(3);
  relay_.ComeBack();
  ASSERT_TRUE(WaitUntilCaughtUp());
  EXPECT_TRUE(WaitForState("docs", ReplicaState::kLive));
  ExpectEqualTrees("docs");
}

TEST_F(StreamTest, StartsWithoutRelayAndWaitsForIt) {
  options_.disconnected_after = 100ms;
  relay_.GoAway();
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitForState("docs", ReplicaState::kDisconnected));
  relay_.ComeBack();
  WriteSome(2);
  ASSERT_TRUE(WaitUntilCaughtUp());
  ExpectEqualTrees("docs");
}

TEST_F(StreamTest, RelayThatHasDroppedTheBeginningNeedsSync) {
  for (int i = 0; i < 20; ++i) {
    const std::string name = std::to_string(i);
    relay_.Group({docs_.Create(name)});
    relay_.Group({docs_.Write(name, 0, std::string(60 * kKiB, 'x'))});
  }
  ASSERT_OK(relay_.journal().DropThrough(Group(30)));
  ASSERT_GT(relay_.journal().oldest().position.group, Group(0));
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitForState("docs", ReplicaState::kNeedsSync));
  EXPECT_THAT(Report("docs").problem, HasSubstr("needs a sync"));
  EXPECT_EQ(Report("docs").applied, Progress{});
}

TEST_F(StreamTest, RelayWithAnotherHistoryIsADivergence) {
  WriteSome(3);
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  const Progress applied = Report("docs").applied;
  ASSERT_OK(Stop());

  // The same group, begun anew: other frames under the same numbers.
  FakeRelay other(temp_ / "other-relay");
  ASSERT_OK(MakeDirectories(temp_ / "elsewhere"));
  Author elsewhere(temp_ / "elsewhere", "docs");
  for (int i = 0; i < 10; ++i) other.Group({elsewhere.Create(std::to_string(i))});
  relay_.GoAway();
  ASSERT_OK(StartWith(other.config()));
  ASSERT_TRUE(WaitForState("docs", ReplicaState::kDiverged));
  EXPECT_EQ(Report("docs").applied, applied);
}

TEST_F(StreamTest, ContinuesWhereItStoppedWithoutPullingAgain) {
  WriteSome(10);
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  ASSERT_OK(Stop());
  relay_.GoAway();
  ASSERT_OK(Start());
  EXPECT_EQ(Report("docs").applied, relay_.head());
  EXPECT_EQ(Report("docs").checkpoint, relay_.head());
  EXPECT_EQ(replica().Report().received, relay_.head());
  relay_.ComeBack();
  WriteSome(3);
  ASSERT_TRUE(WaitUntilCaughtUp());
  ExpectEqualTrees("docs");
}

TEST_F(StreamTest, OldSegmentsOfTheOwnJournalGoAfterTheCheckpoint) {
  for (int i = 0; i < 40; ++i) {
    const std::string name = std::to_string(i);
    relay_.Group({docs_.Create(name)});
    relay_.Group({docs_.Write(name, 0, std::string(60 * kKiB, 'x'))});
  }
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  ASSERT_TRUE(WaitUntil([&] { return Report("docs").checkpoint == relay_.head(); }));
  ASSERT_OK(Stop());
  RecoveryReport report;
  const auto own = OpenJournal({.folder = temp_ / "state/journal", .segment_bytes = 128 * kKiB}, {}, report);
  ASSERT_OK(own);
  EXPECT_GT((*own)->oldest().position.group, Group(40));
}

}  // namespace
}  // namespace hawser::test
