// What a secondary's stores show: group boundaries, pauses, divergences, full disks, and restarts.

#include <gmock/gmock.h>
#include <linux/falloc.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <shared_mutex>

#include "common/base/files.h"
#include "common/base/state_folder.h"
#include "tests/fuse_secondary/secondary_fixture.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

using ReplayTest = SecondaryTest;

// Two files in each of two volumes get the same number in every group.
TEST_F(ReplayTest, ReadersSeeGroupBoundariesOnly) {
  const std::vector<std::string> files{"a", "b", "c", "d", "e", "f"};
  for (const auto& file : files) relay_.Group({docs_.Create(file), mail_.Create(file)});
  options_.batch_groups = 3;
  options_.batch_time = 1ms;
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());

  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0;
  std::atomic<int> looks = 0;
  std::thread reader([&] {
    while (!stop) {
      const std::shared_lock docs(volume("docs").gate());
      const std::shared_lock mail(volume("mail").gate());
      std::set<std::string> contents;
      for (const auto& file : files) {
        contents.insert(Content("docs", file));
        contents.insert(Content("mail", file));
      }
      if (contents.size() != 1) ++torn;
      ++looks;
    }
  });
  for (int i = 0; i < 150; ++i) {
    std::vector<Written> writes;
    for (const auto& file : files) {
      writes.push_back(docs_.Write(file, 0, std::to_string(1000 + i)));
      writes.push_back(mail_.Write(file, 0, std::to_string(1000 + i)));
    }
    relay_.Group(writes);
  }
  EXPECT_TRUE(WaitUntilCaughtUp());
  stop = true;
  reader.join();
  EXPECT_EQ(torn, 0);
  EXPECT_GT(looks, 0);
  ExpectEqualTrees("docs");
  ExpectEqualTrees("mail");
}

// Groups that build on one another, wide enough to be applied by several threads: any overlap would be a
// divergence.
TEST_F(ReplayTest, ParallelRecordsOfAGroupEndBeforeTheNextGroup) {
  constexpr int kFiles = 24;
  for (int round = 0; round < 10; ++round) {
    const std::string suffix = std::to_string(round);
    std::vector<Written> files, writes, moves;
    // Entries of one folder are never made in one group: their order decides on the folder's time.
    for (int i = 0; i < kFiles; ++i)
      relay_.Group({docs_.Create("d" + std::to_string(i) + "." + suffix, NodeKind::kDirectory)});
    for (int i = 0; i < kFiles; ++i)
      files.push_back(docs_.Create("d" + std::to_string(i) + "." + suffix + "/f"));
    relay_.Group(files);
    for (int i = 0; i < kFiles; ++i)
      writes.push_back(docs_.Write("d" + std::to_string(i) + "." + suffix + "/f", 0, std::string(5000, 'x')));
    relay_.Group(writes);
    for (int i = 0; i < kFiles; ++i) {
      const std::string folder = "d" + std::to_string(i) + "." + suffix;
      moves.push_back(docs_.Rename(folder + "/f", folder + "/g"));
    }
    relay_.Group(moves);
  }
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  EXPECT_EQ(Report("docs").state, ReplicaState::kLive) << Report("docs").problem;
  ExpectEqualTrees("docs");
}

TEST_F(ReplayTest, PauseStopsAtAGroupBoundaryWhileReceivingGoesOn) {
  relay_.Group({docs_.Create("a")});
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  Pause();
  const Progress paused_at = Report("docs").applied;
  EXPECT_EQ(Report("docs").state, ReplicaState::kPaused);
  for (int i = 0; i < 20; ++i) relay_.Group({docs_.Write("a", 0, std::to_string(i))});
  ASSERT_TRUE(WaitUntil([&] { return replica().Report().received == relay_.head(); }));
  EXPECT_EQ(Report("docs").applied, paused_at);
  EXPECT_EQ(Content("docs", "a"), "");
  replica().SetPaused(false);
  ASSERT_TRUE(WaitUntilCaughtUp());
  EXPECT_TRUE(WaitForState("docs", ReplicaState::kLive));
  ExpectEqualTrees("docs");
}

TEST_F(ReplayTest, PauseUnderLoadAlwaysStandsAtABoundaryOfBothVolumes) {
  relay_.Group({docs_.Create("a"), mail_.Create("a")});
  ASSERT_OK(Start());
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      relay_.Group({docs_.Write("a", 0, std::to_string(100000 + i))});
      relay_.Group({mail_.Write("a", 0, std::to_string(100000 + i))});
    }
  });
  EXPECT_TRUE(WaitUntil([&] { return Report("mail").applied.position.group > Group(10); }));
  for (int i = 0; i < 20; ++i) {
    Pause();
    // docs is written first: mail is never ahead, and at most one step behind.
    const int docs = std::stoi(Content("docs", "a")), mail = std::stoi(Content("mail", "a"));
    EXPECT_TRUE(docs == mail || docs == mail + 1) << docs << " " << mail;
    EXPECT_EQ(Report("docs").applied, Report("mail").applied);
    replica().SetPaused(false);
  }
  stop = true;
  writer.join();
  EXPECT_TRUE(WaitUntilCaughtUp());
}

TEST_F(ReplayTest, TouchedStoreStopsThatVolumeOnly) {
  relay_.Group({docs_.Create("touched"), mail_.Create("fine")});
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  const Progress before = Report("docs").applied;
  std::ofstream(SecondaryStore("docs") + "/touched") << "somebody was here";
  relay_.Group({docs_.Write("touched", 0, "data"), mail_.Write("fine", 0, "data")});
  relay_.Group({docs_.Create("later"), mail_.Create("later")});

  ASSERT_TRUE(WaitForState("docs", ReplicaState::kDiverged));
  ASSERT_TRUE(WaitUntil([&] { return Report("mail").applied == relay_.head(); }));
  EXPECT_TRUE(WaitForState("mail", ReplicaState::kLive));
  EXPECT_EQ(Report("docs").applied, before);
  EXPECT_THAT(Report("docs").problem, HasSubstr("'touched'"));
  EXPECT_THAT(Report("docs").problem, HasSubstr("Repair"));
  EXPECT_EQ(Content("docs", "touched"), "somebody was here");
  ExpectEqualTrees("mail");

  // Not forgotten by a restart.
  ASSERT_OK(Stop());
  ASSERT_OK(Start());
  EXPECT_EQ(Report("docs").state, ReplicaState::kDiverged);
  EXPECT_THAT(Report("docs").problem, HasSubstr("'touched'"));
  relay_.Group({mail_.Create("latest")});
  ASSERT_TRUE(WaitUntil([&] { return Report("mail").applied == relay_.head(); }));
  ExpectEqualTrees("mail");
}

TEST_F(ReplayTest, DeletedFileIsADivergence) {
  relay_.Group({docs_.Create("gone")});
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  ASSERT_EQ(::unlink((SecondaryStore("docs") + "/gone").c_str()), 0);
  relay_.Group({docs_.Write("gone", 0, "data")});
  ASSERT_TRUE(WaitForState("docs", ReplicaState::kDiverged));
  EXPECT_THAT(Report("docs").problem, HasSubstr("'gone' of volume docs is missing"));
}

TEST_F(ReplayTest, CollapsedRangesLieBetweenCheckpoints) {
  options_.checkpoint_every = 1h;
  relay_.Group({docs_.Create("f")});
  relay_.Group(
      {docs_.Write("f", 0, std::string(4096, 'a') + std::string(4096, 'b') + std::string(4096, 'c'))});
  relay_.Group({docs_.Allocate("f", FALLOC_FL_COLLAPSE_RANGE, 0, 4096)});
  const Group collapsed = relay_.head().position.group;
  relay_.Group({docs_.Write("f", 100, "later")});
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  EXPECT_EQ(Report("docs").checkpoint.position.group, collapsed);
  Crash();
  ASSERT_OK(Start());
  ExpectEqualTrees("docs");
}

// With a filesystem of its own that is too small at first.
class SmallDiskTest : public ReplayTest {
 protected:
  // false: the test is skipped.
  bool MountSmall(const std::string& folder) {
    folder_ = folder;
    mounted_ =
        MakeDirectories(folder) && ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=1m,mode=755") == 0;
    return mounted_;
  }
  void MakeRoom() {
    EXPECT_EQ(::mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT, "size=16m,mode=755"), 0);
  }
  void TearDown() override {
    Crash();
    if (!mounted_) return;
    EXPECT_EQ(::umount2(folder_.c_str(), MNT_DETACH), 0);
  }

 private:
  std::string folder_;
  bool mounted_ = false;
};

TEST_F(SmallDiskTest, FullStoreStallsReplayAndGoesOnOnceThereIsRoom) {
  if (!MountSmall(SecondaryStore("docs"))) GTEST_SKIP() << "mounting a small filesystem needs root";
  relay_.Group({docs_.Create("big"), mail_.Create("small")});
  const Progress before = relay_.head();
  relay_.Group({docs_.Write("big", 0, std::string(900 * kKiB, 'a'))});
  relay_.Group(
      {docs_.Write("big", 900 * kKiB, std::string(900 * kKiB, 'b')), mail_.Write("small", 0, "data")});
  relay_.Group({mail_.Write("small", 4, "more")});
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitForState("docs", ReplicaState::kStalled));
  EXPECT_THAT(Report("docs").problem, HasSubstr("No space left on device"));
  EXPECT_EQ(Report("docs").applied.position.group, Next(before.position.group));
  EXPECT_EQ(Report("mail").applied.position.group, Next(before.position.group));
  EXPECT_TRUE(WaitUntil([&] { return replica().Report().received == relay_.head(); }));

  MakeRoom();
  ASSERT_TRUE(WaitUntilCaughtUp());
  EXPECT_TRUE(WaitForState("docs", ReplicaState::kLive));
  EXPECT_EQ(Report("docs").problem, "");
  ExpectEqualTrees("docs");
  ExpectEqualTrees("mail");
}

// One volume has its part of the group, and the other one hasn't: a backup would hold half of it.
TEST_F(SmallDiskTest, PauseWithinAGroupStandsOnceThatIsWhole) {
  if (!MountSmall(SecondaryStore("docs"))) GTEST_SKIP() << "mounting a small filesystem needs root";
  relay_.Group({docs_.Create("big"), mail_.Create("small")});
  relay_.Group({docs_.Write("big", 0, std::string(900 * kKiB, 'a'))});
  relay_.Group(
      {docs_.Write("big", 900 * kKiB, std::string(900 * kKiB, 'b')), mail_.Write("small", 0, "data")});
  const Progress whole = relay_.head();
  relay_.Group({mail_.Write("small", 4, "more")});
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitForState("docs", ReplicaState::kStalled));
  replica().SetPaused(true);
  // Looked at again, it is stalled as before.
  ASSERT_TRUE(WaitForState("docs", ReplicaState::kStalled));
  EXPECT_FALSE(replica().Report().stands);

  MakeRoom();
  ASSERT_TRUE(WaitUntil([&] { return replica().Report().stands; }));
  EXPECT_EQ(Report("docs").applied, whole);
  EXPECT_EQ(Report("mail").applied, whole);
  EXPECT_EQ(Content("mail", "small"), "data");
}

TEST_F(ReplayTest, ReplicaThatIsStartedPausedAppliesNothingBeforeItIsResumed) {
  relay_.Group({docs_.Create("a")});
  options_.paused = true;
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntil([&] { return replica().Report().received == relay_.head(); }));
  EXPECT_TRUE(replica().Report().stands);
  EXPECT_EQ(Report("docs").state, ReplicaState::kPaused);
  EXPECT_EQ(Report("docs").applied, Progress());
  replica().SetPaused(false);
  ASSERT_TRUE(WaitUntilCaughtUp());
  ExpectEqualTrees("docs");
}

// What was received and not applied before the crash doesn't fit.
TEST_F(SmallDiskTest, FullStoreStallsTheStartWhichGoesOnOnceThereIsRoom) {
  if (!MountSmall(SecondaryStore("docs"))) GTEST_SKIP() << "mounting a small filesystem needs root";
  relay_.Group({docs_.Create("big"), mail_.Create("small")});
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  Pause();
  relay_.Group({docs_.Write("big", 0, std::string(900 * kKiB, 'a'))});
  relay_.Group(
      {docs_.Write("big", 900 * kKiB, std::string(900 * kKiB, 'b')), mail_.Write("small", 0, "data")});
  ASSERT_TRUE(WaitUntil([&] { return replica().Report().received == relay_.head(); }));
  Crash();

  ASSERT_OK(Start());
  for (const char* volume : {"docs", "mail"}) {
    EXPECT_TRUE(WaitForState(volume, ReplicaState::kStalled)) << volume;
    EXPECT_THAT(Report(volume).problem, HasSubstr("No space left on device"));
    EXPECT_THAT(Report(volume).problem, HasSubstr(SecondaryStore("docs")));
    EXPECT_TRUE(replica().Report().unshown.contains(VolumeName(volume))) << volume;
  }
  ASSERT_OK(Stop());
  ASSERT_OK(Start());
  EXPECT_TRUE(WaitForState("docs", ReplicaState::kStalled));

  MakeRoom();
  ASSERT_TRUE(WaitUntilCaughtUp());
  EXPECT_TRUE(WaitForState("docs", ReplicaState::kLive));
  EXPECT_TRUE(replica().Report().unshown.empty());
  ExpectEqualTrees("docs");
  ExpectEqualTrees("mail");
}

TEST_F(SmallDiskTest, FullOwnJournalStallsReceivingAndGoesOnOnceThereIsRoom) {
  if (!MountSmall(temp_ / "state")) GTEST_SKIP() << "mounting a small filesystem needs root";
  options_.checkpoint_every = 1h;  // so that no segments are dropped
  relay_.Group({docs_.Create("big")});
  ASSERT_OK(Start());
  for (int i = 0; i < 40; ++i)
    relay_.Group(
        {docs_.Write("big", static_cast<std::uint64_t>(i) * 60 * kKiB, std::string(60 * kKiB, 'x'))});
  ASSERT_TRUE(WaitForState("docs", ReplicaState::kStalled));
  EXPECT_THAT(Report("docs").problem, HasSubstr("own journal"));
  EXPECT_THAT(Report("docs").problem, HasSubstr("No space left on device"));
  MakeRoom();
  ASSERT_TRUE(WaitUntilCaughtUp());
  EXPECT_TRUE(WaitForState("docs", ReplicaState::kLive));
  ExpectEqualTrees("docs");
}

// As docs/CONSISTENCY.md says.
TEST_F(ReplayTest, DivergedVolumeIsCopiedAnewByHand) {
  relay_.Group({docs_.Create("a"), mail_.Create("a")});
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  std::ofstream(SecondaryStore("docs") + "/a") << "somebody was here";
  relay_.Group({docs_.Write("a", 0, "data"), mail_.Write("a", 0, "data")});
  ASSERT_TRUE(WaitForState("docs", ReplicaState::kDiverged));
  ASSERT_TRUE(WaitForState("mail", ReplicaState::kLive));
  ASSERT_OK(Stop());

  std::filesystem::remove_all(SecondaryStore("docs"));
  std::filesystem::remove(temp_ / "state/docs.checkpoint");
  std::filesystem::remove(DivergencePath(temp_ / "state/docs.checkpoint"));
  std::filesystem::remove_all(temp_ / "state/journal");
  relay_.Group({docs_.Create("b"), mail_.Create("b")});
  ASSERT_OK(Start());
  ASSERT_TRUE(WaitUntilCaughtUp());
  EXPECT_TRUE(WaitForState("docs", ReplicaState::kLive));
  EXPECT_TRUE(WaitForState("mail", ReplicaState::kLive));
  ExpectEqualTrees("docs");
  ExpectEqualTrees("mail");
}

TEST_F(ReplayTest, CrashedSecondaryRedoesAndGoesOn) {
  options_.checkpoint_every = 1h;
  for (int round = 0; round < 4; ++round) {
    ASSERT_OK(Start());
    for (int i = 0; i < 10; ++i) {
      const std::string name = std::to_string(round) + "." + std::to_string(i);
      relay_.Group({docs_.Create("tmp"), mail_.Create(name, NodeKind::kDirectory)});
      relay_.Group({docs_.Write("tmp", 0, name), mail_.Create(name + "/in")});
      relay_.Group({docs_.Rename("tmp", i % 2 == 0 ? "current" : name), mail_.Symlink(name + "/link", "in")});
      relay_.Group({mail_.Rename(name, name + ".moved")});
    }
    ASSERT_TRUE(WaitUntilCaughtUp());
    EXPECT_EQ(Report("docs").checkpoint.position.group, Group(0));
    Crash();
  }
  ASSERT_OK(Start());
  EXPECT_EQ(Report("docs").applied, relay_.head());
  ExpectEqualTrees("docs");
  ExpectEqualTrees("mail");
  relay_.Group({docs_.Create("after")});
  ASSERT_TRUE(WaitUntilCaughtUp());
  ExpectEqualTrees("docs");
}

// What a kernel that has looked things up is told of changes to them.
class ToldTest : public ReplayTest {
 protected:
  ToldTest() {
    options_.on_applied = [&](Volume& changed, const Stale& stale) {
      const std::shared_lock view(changed.gate());  // open: not called under the gate
      const std::lock_guard lock(mutex_);
      for (const NodeId node : stale.nodes) told_.push_back({node, Content("docs", "now")});
    };
  }
  ~ToldTest() override { Crash(); }  // nothing is told any more

  NodeId LookUp(const std::string& name) { return volume("docs").Lookup(kRootNode, name)->node; }
  std::vector<std::pair<NodeId, std::string>> Told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }

  std::mutex mutex_;
  std::vector<std::pair<NodeId, std::string>> told_;  // nodes, and what "now" held by then
};

TEST_F(ToldTest, AChangedNodeIsToldWhenTheChangeCanBeSeen) {
  ASSERT_OK(Start());
  relay_.Group({docs_.Create("now")});
  ASSERT_TRUE(WaitUntilCaughtUp());
  const NodeId node = LookUp("now");
  relay_.Group({docs_.Write("now", 0, "new")});
  ASSERT_TRUE(WaitUntilCaughtUp());
  ASSERT_EQ(Told().size(), 1U);
  EXPECT_EQ(Told().front().first, node);
  EXPECT_EQ(Told().front().second, "new");
}

TEST_F(ToldTest, WhatNobodyHasLookedUpIsNotTold) {
  ASSERT_OK(Start());
  relay_.Group({docs_.Create("unknown"), docs_.Create("now")});
  ASSERT_TRUE(WaitUntilCaughtUp());
  LookUp("now");
  relay_.Group({docs_.Write("unknown", 0, "new")});
  ASSERT_TRUE(WaitUntilCaughtUp());
  EXPECT_TRUE(Told().empty());
}

TEST_F(ToldTest, AFileChangedByAnotherOfItsNamesIsToldAsWell) {
  ASSERT_OK(Start());
  relay_.Group({docs_.Create("now")});
  relay_.Group({docs_.Link("now", "other")});
  ASSERT_TRUE(WaitUntilCaughtUp());
  const NodeId node = LookUp("now");
  relay_.Group({docs_.Write("other", 0, "new")});
  ASSERT_TRUE(WaitUntilCaughtUp());
  ASSERT_EQ(Told().size(), 1U);
  EXPECT_EQ(Told().front(), std::pair(node, std::string("new")));
}

// Both are in the stores before anything is told: by then the path of the change leads nowhere.
TEST_F(ToldTest, AFileRenamedRightAfterItsChangeIsToldAsWell) {
  ASSERT_OK(Start());
  relay_.Group({docs_.Create("before")});
  ASSERT_TRUE(WaitUntilCaughtUp());
  const NodeId node = LookUp("before");
  Pause();
  relay_.Group({docs_.Write("before", 0, "new")});
  relay_.Group({docs_.Rename("before", "now")});
  replica().SetPaused(false);
  ASSERT_TRUE(WaitUntilCaughtUp());
  ASSERT_FALSE(Told().empty());
  EXPECT_EQ(Told().front().first, node);
}

}  // namespace
}  // namespace hawser::test
