// A secondary whose own journal is gone, or has lost its end: what of its copies is shown, and where their
// records come from.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/fuse_secondary/secondary_fixture.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class LostJournalTest : public SecondaryTest {
 protected:
  LostJournalTest() {
    options_.checkpoint_every = 1h;
    options_.relays_journal = [this](const std::vector<VolumeName>& volumes,
                                     const std::atomic<bool>*) -> Result<RelaysJournal> {
      ++asked_;
      if (!relay_is_there_) return Error{ECANCELED, "the start was given up"};
      return ReadRelays(volumes);
    };
  }

  // The copies have a checkpoint, and hold records behind it.
  void CrashBehindTheCheckpoint() {
    relay_.Group({docs_.Create("a"), mail_.Create("a")});
    relay_.Group({docs_.Create("moved")});
    ASSERT_OK(Start());
    ASSERT_TRUE(WaitUntilCaughtUp());
    ASSERT_OK(Stop());
    ASSERT_OK(Start());
    relay_.Group({docs_.Create("b"), mail_.Write("a", 0, "one")});
    relay_.Group({docs_.Rename("moved", "there")});
    relay_.Group({docs_.Write("a", 0, "two")});
    ASSERT_TRUE(WaitUntilCaughtUp());
    Crash();
    ASSERT_EQ(asked_, 0) << "the own journal was there";
  }
  bool Damaged() const {
    return Report("docs").problem.find("the own journal is damaged") != std::string::npos;
  }
  std::string OwnJournal() const { return temp_ / "state/journal"; }
  void ExpectAllAtHead() {
    EXPECT_EQ(Report("docs").applied, relay_.head());
    EXPECT_EQ(Report("mail").applied, relay_.head());
    EXPECT_TRUE(replica().Report().unshown.empty());
    ExpectEqualTrees("docs");
    ExpectEqualTrees("mail");
  }

  int asked_ = 0;
  bool relay_is_there_ = true;
};

TEST_F(LostJournalTest, TheCopiesAreRedoneFromTheRelaysJournal) {
  ASSERT_NO_FATAL_FAILURE(CrashBehindTheCheckpoint());
  std::filesystem::remove_all(OwnJournal());
  ASSERT_OK(Start());
  ExpectAllAtHead();
  relay_.Group({docs_.Write("b", 0, "after")});
  ASSERT_TRUE(WaitUntilCaughtUp());
  ExpectEqualTrees("docs");

  // The own journal leads on from there: nobody else is asked.
  Crash();
  ASSERT_OK(Start());
  EXPECT_EQ(asked_, 1);
  ExpectAllAtHead();
}

TEST_F(LostJournalTest, AStartThatWasCutOffAsksAgain) {
  ASSERT_NO_FATAL_FAILURE(CrashBehindTheCheckpoint());
  std::filesystem::remove_all(OwnJournal());
  relay_is_there_ = false;
  for (int i = 1; i <= 2; ++i) {
    const Status started = Start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ECANCELED);
    EXPECT_EQ(asked_, i);
    Crash();
  }
  relay_is_there_ = true;
  ASSERT_OK(Start());
  ExpectAllAtHead();
}

TEST_F(LostJournalTest, WhatTheRelayNoLongerHasIsNotShown) {
  ASSERT_NO_FATAL_FAILURE(CrashBehindTheCheckpoint());
  std::filesystem::remove_all(OwnJournal());
  for (int i = 0; i < 20; ++i) relay_.Group({docs_.Write("a", 0, std::string(60 * kKiB, 'x'))});
  ASSERT_OK(relay_.journal().DropThrough(Group(10)));
  ASSERT_GT(relay_.journal().oldest().position.group, Group(2));
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK(Start());
    EXPECT_EQ(Report("docs").state, ReplicaState::kNeedsSync);
    EXPECT_THAT(Report("docs").problem, HasSubstr("needs a sync"));
    EXPECT_EQ(replica().Report().unshown.size(), 2U);
    Crash();
  }
}

TEST_F(LostJournalTest, AfterACleanEndNobodyIsAsked) {
  relay_.Group({docs_.Create("a")});
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  ASSERT_OK(Stop());
  std::filesystem::remove_all(OwnJournal());
  ASSERT_OK(Start());
  EXPECT_EQ(asked_, 0);
  EXPECT_TRUE(replica().Report().unshown.empty());
  relay_.Group({docs_.Create("b")});
  ASSERT_TRUE(WaitUntilCaughtUp());
  ExpectEqualTrees("docs");
}

TEST_F(LostJournalTest, AJournalThatEndsBeforeTheCheckpointGivesWayToANewOne) {
  relay_.Group({docs_.Create("first")});
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  ASSERT_OK(Stop());
  std::filesystem::copy(OwnJournal(), temp_ / "backup", std::filesystem::copy_options::recursive);
  ASSERT_NO_FATAL_FAILURE(CrashBehindTheCheckpoint());
  std::filesystem::remove_all(OwnJournal());
  std::filesystem::rename(temp_ / "backup", OwnJournal());
  ASSERT_OK(Start());
  EXPECT_EQ(asked_, 1);
  ExpectAllAtHead();
  EXPECT_EQ(replica().Report().received, relay_.head());
}

class AddedVolumeTest : public LostJournalTest {
 protected:
  AddedVolumeTest() { options_.checkpoint_every = 50ms; }

  // The node gets mail, as it seems: its store is new. The own journal begins after its records.
  void AddMail() {
    relay_.Group({docs_.Create("a"), mail_.Create("a")});
    relay_.Group({mail_.Write("a", 0, "content")});
    for (int i = 0; i < 20; ++i) relay_.Group({docs_.Write("a", 0, std::string(60 * kKiB, 'x'))});
    ASSERT_OK(Start());
    ASSERT_TRUE(WaitUntilCaughtUp());
    ASSERT_TRUE(WaitUntil([&] { return Report("docs").checkpoint == relay_.head(); }));
    ASSERT_OK(Stop());
    std::filesystem::remove_all(SecondaryStore("mail"));
    std::filesystem::remove(temp_ / "state/mail.checkpoint");
    options_.relays_oldest = relay_.journal().oldest();
  }
};

TEST_F(AddedVolumeTest, IsBroughtOnByTheRelaysJournal) {
  ASSERT_NO_FATAL_FAILURE(AddMail());
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK(Start());
    EXPECT_EQ(asked_, 1) << "once";
    ExpectAllAtHead();
    relay_.Group({mail_.Write("a", 0, std::to_string(i)), docs_.Write("a", 0, "y")});
    ASSERT_TRUE(WaitUntilCaughtUp());
    ASSERT_OK(Stop());
  }
}

TEST_F(AddedVolumeTest, NeedsASyncWhereTheRelaysBeginsTooLateAndNobodyIsAsked) {
  ASSERT_NO_FATAL_FAILURE(AddMail());
  ASSERT_OK(relay_.journal().DropThrough(Group(10)));
  options_.relays_oldest = relay_.journal().oldest();
  ASSERT_OK(Start());
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(Report("mail").state, ReplicaState::kNeedsSync);
  EXPECT_EQ(Report("docs").applied, relay_.head());
}

TEST_F(AddedVolumeTest, DoesNotWaitForARelayThatIsNotThere) {
  ASSERT_NO_FATAL_FAILURE(AddMail());
  options_.relays_oldest = std::nullopt;
  ASSERT_OK(Start());
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(Report("mail").state, ReplicaState::kNeedsSync);
}

// A copy that is paused for long keeps much in it.
TEST_F(LostJournalTest, DamageIsFoundBeforeItIsNeededAndWhatIsLostIsFetchedAgain) {
  options_.scrub = {.step_bytes = kMiB, .interval = 10ms, .rest = 0s, .rest_damaged = 0s};
  relay_.Group({docs_.Create("a")});
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  Pause();
  for (int i = 0; i < 20; ++i) relay_.Group({docs_.Write("a", 0, std::string(60 * kKiB, 'a' + i))});
  ASSERT_TRUE(WaitUntil([&] { return replica().Report().received == relay_.head(); }));

  std::vector<std::string> segments;
  for (const auto& entry : std::filesystem::directory_iterator(OwnJournal())) {
    if (entry.path().extension() == ".hwj") segments.push_back(entry.path());
  }
  std::sort(segments.begin(), segments.end());
  ASSERT_GT(segments.size(), 3U);
  {
    std::fstream file(segments[1], std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(50'000);
    file.put('!');
  }
  ASSERT_TRUE(WaitUntil([&] { return Damaged(); }));
  EXPECT_THAT(Report("docs").problem, HasSubstr(std::filesystem::path(segments[1]).filename().string()));
  EXPECT_EQ(Report("docs").state, ReplicaState::kPaused);

  // As it says.
  replica().SetPaused(false);
  ASSERT_TRUE(WaitForState("docs", ReplicaState::kStalled));
  ASSERT_OK(Stop());
  std::filesystem::remove_all(OwnJournal());
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  ExpectEqualTrees("docs");
  EXPECT_FALSE(Damaged());
}

}  // namespace
}  // namespace hawser::test
