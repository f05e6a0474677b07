// The newest head that was heard of: what is kept of it, and the account of what is missing.
#include "fuse_secondary/heard_head.h"

#include <gmock/gmock.h>

#include "common/base/files.h"
#include "common/base/state_folder.h"
#include "fuse_secondary/head_keeper.h"
#include "tests/fuse_secondary/secondary_fixture.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Progress At(std::uint64_t group, std::uint64_t sequence, std::byte journal = std::byte{1}) {
  Progress progress;
  progress.position.journal.bytes.fill(journal);
  progress.position.group = Group(group);
  progress.position.sequence = Sequence(sequence);
  progress.journal_bytes = 100 * sequence;
  progress.time = {5};
  return progress;
}

TEST(HeardHead, IsReadAsItWasWritten) {
  const TempDir temp;
  const std::string path = StateFolder(temp.path()).HeardHead();
  const auto none = ReadHeardHead(path);
  ASSERT_OK(none);
  EXPECT_FALSE(*none);
  ASSERT_OK(WriteHeardHead(path, {At(7, 70), {123}}));
  const auto read = ReadHeardHead(path);
  ASSERT_OK(read);
  ASSERT_TRUE(*read);
  EXPECT_EQ((*read)->head, At(7, 70));
  EXPECT_EQ((*read)->heard, Timestamp{123});
}

TEST(HeardHead, GarbageIsSaidWithTheFile) {
  const TempDir temp;
  ASSERT_OK(WriteFileAtomically(temp / "heard", "{\"group\": 1"));
  const auto read = ReadHeardHead(temp / "heard");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, AllOf(HasSubstr(temp / "heard"), HasSubstr("remove the file")));
}

TEST(AccountOfMissing, CountsRecordsUpToTheNewestHead) {
  const Account account = MakeAccount(At(5, 50), HeardHead{At(7, 73), {1'700'000'000'000'000'000}});
  EXPECT_EQ(account.missing, 23u);
  EXPECT_EQ(account.newest, At(7, 73));
  EXPECT_THAT(AccountText(account),
              AllOf(HasSubstr("50 (group 5)"), HasSubstr("73 (group 7)"), HasSubstr("2023-11-14T22:13:20Z"),
                    HasSubstr("23 records are known to be missing")));
}

TEST(AccountOfMissing, NothingIsMissingOfAHeadThatWasReceived) {
  const Account account = MakeAccount(At(9, 90), HeardHead{At(7, 73), {1}});
  EXPECT_EQ(account.missing, 0u);
  EXPECT_EQ(account.newest, At(9, 90));
  EXPECT_THAT(AccountText(account), HasSubstr("no record is known to be missing"));
}

TEST(AccountOfMissing, BeforeAnythingWasReceivedAllOfItIsMissing) {
  EXPECT_EQ(MakeAccount(Progress(), HeardHead{At(7, 73), {1}}).missing, 73u);
}

TEST(AccountOfMissing, OfAnotherJournalNothingCanBeTold) {
  const Account account = MakeAccount(At(5, 50), HeardHead{At(7, 73, std::byte{2}), {1}});
  EXPECT_FALSE(account.missing);
  EXPECT_THAT(AccountText(account), HasSubstr("can't be told"));
}

TEST(AccountOfMissing, WithoutAnyWordOfTheRelayThatIsSaid) {
  EXPECT_THAT(AccountText(MakeAccount(At(5, 50), std::nullopt)),
              HasSubstr("no newer head was ever heard of"));
}

class HeardHeadOfReplica : public SecondaryTest {
 protected:
  std::string File() const { return temp_ / "state/heard"; }
};

TEST(HeadKeeperThread, KeepsAHeadThatRunsAheadOfWhatWasReceived) {
  const TempDir temp;
  const std::string path = StateFolder(temp.path()).HeardHead();
  ReplicaBoard board({std::chrono::seconds(2), std::chrono::seconds(1)}, At(5, 50), {});
  const HeadKeeper keeper(path, board, HeardHead{At(5, 50), Now()});
  board.Heard(At(8, 80));
  const auto kept = [&] {
    const auto read = ReadHeardHead(path);
    return read && *read && (*read)->head == At(8, 80);
  };
  const Deadline deadline = SteadyClock::now() + kPatience;
  while (!kept() && SteadyClock::now() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(kept());
}

TEST_F(HeardHeadOfReplica, OutlivesACrashAndTheRelay) {
  relay_.Group({docs_.Create("a"), mail_.Create("b")});
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  Crash();
  relay_.GoAway();
  Progress ahead = relay_.head();
  ahead.position.sequence.value += 10;
  ahead.position.group.value += 3;
  ASSERT_OK(WriteHeardHead(File(), {ahead, Now()}));
  ASSERT_OK(Start());
  EXPECT_EQ(replica().Report().head, ahead);
  EXPECT_EQ(replica().Report().received, relay_.head());
  EXPECT_FALSE(replica().Report().connected) << "what was heard once is no word of the relay";
}

TEST_F(HeardHeadOfReplica, AnUnreadableFileIsNotInTheWayOfAStart) {
  relay_.Group({docs_.Create("a")});
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  ASSERT_OK(Stop());
  ASSERT_OK(WriteFileAtomically(File(), "?"));
  ASSERT_OK(Start());
  EXPECT_TRUE(WaitUntilCaughtUp());
}

}  // namespace
}  // namespace hawser::test
