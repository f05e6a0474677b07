// A secondary whose own journal is gone, or has lost its end: what does it show of stores that may hold what
// nobody on this machine can tell any more?
#include <filesystem>

#include "common/base/state_folder.h"
#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"
#include "volume/store/checkpoint.h"

namespace hawser::test {
namespace {

class LostJournalTest : public ::testing::Test {
 protected:
  std::string Docs(const std::string& node) const { return cluster_.Mount(node, "docs"); }
  std::string OwnJournal() const { return StateFolder(cluster_.State("charlie")).Journal(); }

  Sequence Checkpoint() const {
    const std::string path = StateFolder(cluster_.State("charlie")).Checkpoint(VolumeName("docs"));
    const auto checkpoint = ReadCheckpoint(path);
    return checkpoint && *checkpoint ? (*checkpoint)->progress.position.sequence : Sequence();
  }

  // charlie has come to its end uncleanly, with changes of each sort behind its checkpoint: files that are
  // new, changed, renamed and removed. `number` tells one time from another.
  void KillBehindItsCheckpoint(int number) {
    const std::string mark = std::to_string(number);
    for (const std::string name : {"/changed", "/moved", "/removed"})
      Write(Docs("alpha") + name, "before" + mark);
    ASSERT_OK(cluster_.WaitForSecondaries());
    // Started anew it makes no checkpoint in its first seconds.
    ASSERT_OK(cluster_.Stop("charlie"));
    ASSERT_OK(cluster_.Start("charlie"));
    const Sequence checkpoint = Checkpoint();
    Write(Docs("alpha") + "/new", "content" + mark);
    Write(Docs("alpha") + "/changed", "after" + mark);
    std::filesystem::rename(Docs("alpha") + "/moved", Docs("alpha") + "/there");
    std::filesystem::remove(Docs("alpha") + "/removed");
    ASSERT_OK(cluster_.WaitForSecondaries());
    cluster_.Kill("charlie");
    EXPECT_EQ(Checkpoint(), checkpoint) << "too slow: a checkpoint was made, and the case isn't tested";
  }
  void ExpectSaid(const std::string& words) {
    EXPECT_TRUE(WaitUntil([&] { return Read(cluster_.Log("charlie")).find(words) != std::string::npos; }))
        << "charlie never said: " << words;
  }

  Cluster cluster_;
};

TEST_F(LostJournalTest, TheCopyIsRedoneFromTheRelaysAndIsWholeWithoutARelayAgain) {
  ASSERT_OK(cluster_.Start());
  ASSERT_NO_FATAL_FAILURE(KillBehindItsCheckpoint(1));
  std::filesystem::remove_all(OwnJournal());
  ASSERT_OK(cluster_.Start("charlie"));
  EXPECT_EQ(Read(Docs("charlie") + "/changed"), "after1");
  EXPECT_OK(cluster_.CompareAllTrees());
  EXPECT_TRUE(WaitUntil([&] { return cluster_.StateOf("charlie") == "live"; }))
      << cluster_.StateOf("charlie");

  ASSERT_NO_FATAL_FAILURE(KillBehindItsCheckpoint(2));
  cluster_.Kill("relay");
  ASSERT_OK(cluster_.Start("charlie"));
  EXPECT_EQ(Read(Docs("charlie") + "/changed"), "after2");
  EXPECT_EQ(Read(Docs("charlie") + "/there"), "before2");
}

TEST_F(LostJournalTest, WithNoRelayToAskNothingIsShownAndItSaysWhatItWaitsFor) {
  ASSERT_OK(cluster_.Start());
  ASSERT_NO_FATAL_FAILURE(KillBehindItsCheckpoint(1));
  std::filesystem::remove_all(OwnJournal());
  cluster_.Kill("relay");
  ASSERT_OK(cluster_.Launch("charlie"));
  ExpectSaid("are redone from the relay's before they are shown");
  ExpectSaid("waiting for the relay at");
  EXPECT_FALSE(Exists(Docs("charlie") + "/changed"));
  const auto status = cluster_.Hawser({"status"});
  ASSERT_OK(status);
  EXPECT_NE(status->output.find("docs: the own journal is gone"), std::string::npos) << status->output;

  ASSERT_OK(cluster_.Start("relay"));
  ASSERT_OK(cluster_.AwaitReady("charlie"));
  EXPECT_EQ(Read(Docs("charlie") + "/changed"), "after1");
  EXPECT_OK(cluster_.CompareAllTrees());
}

// With a clean end nothing lies behind the checkpoint, and it is known to be whole.
TEST_F(LostJournalTest, ACopyThatWasStoppedInOrderIsShownWithNoRelay) {
  ASSERT_OK(cluster_.Start());
  Write(Docs("alpha") + "/file", "content");
  ASSERT_OK(cluster_.WaitForSecondaries());
  ASSERT_OK(cluster_.Stop("charlie"));
  std::filesystem::remove_all(OwnJournal());
  cluster_.Kill("relay");
  ASSERT_OK(cluster_.Start("charlie"));
  EXPECT_EQ(Read(Docs("charlie") + "/file"), "content");
  ASSERT_OK(cluster_.Start("relay"));
  Write(Docs("alpha") + "/later", "more");
  EXPECT_OK(cluster_.CompareAllTrees());
}

// A journal from a backup: it is there, and ends before the checkpoint.
TEST_F(LostJournalTest, AnOlderJournalInItsPlaceIsNotTrustedEither) {
  ASSERT_OK(cluster_.Start());
  Write(Docs("alpha") + "/old", "1");
  ASSERT_OK(cluster_.WaitForSecondaries());
  ASSERT_OK(cluster_.Stop("charlie"));
  const std::string backup = cluster_.folder() + "/backup";
  std::filesystem::copy(OwnJournal(), backup, std::filesystem::copy_options::recursive);
  ASSERT_OK(cluster_.Start("charlie"));
  ASSERT_NO_FATAL_FAILURE(KillBehindItsCheckpoint(1));
  std::filesystem::remove_all(OwnJournal());
  std::filesystem::rename(backup, OwnJournal());
  ASSERT_OK(cluster_.Start("charlie"));
  EXPECT_EQ(Read(Docs("charlie") + "/changed"), "after1");
  EXPECT_OK(cluster_.CompareAllTrees());
}

}  // namespace
}  // namespace hawser::test
