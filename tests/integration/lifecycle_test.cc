// Starting, ending and starting again.
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <regex>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

bool IsMounted(const std::string& path) {
  const std::string mounts = Read("/proc/self/mountinfo");
  return mounts.find(" " + path + " ") != std::string::npos;
}

int ErrnoOfListing(const std::string& path) {
  std::error_code failed;
  const std::filesystem::directory_iterator listing(path, failed);
  return failed.value();
}

TEST(LifecycleTest, TerminatedNodeEndsCleanlyAndLeavesNoMount) {
  Cluster cluster;
  ASSERT_OK(cluster.Start());
  Write(cluster.Mount("alpha", "docs") + "/file", "content");
  for (const char* process : {"alpha", "bravo", "charlie", "relay"}) EXPECT_OK(cluster.Stop(process));
  EXPECT_FALSE(IsMounted(cluster.Mount("alpha", "docs")));
  EXPECT_FALSE(IsMounted(cluster.Mount("bravo", "mail")));
  EXPECT_FALSE(IsMounted(cluster.Mount("charlie", "docs")));
  EXPECT_FALSE(IsMounted(cluster.Mount("charlie", "mail")));
  EXPECT_EQ(Read(cluster.Store("alpha", "docs") + "/file"), "content");
}

TEST(LifecycleTest, NodeInterruptedWithAnOpenFileStillEnds) {
  Cluster cluster;
  ASSERT_OK(cluster.Start());
  const UniqueFd fd(open((cluster.Mount("alpha", "docs") + "/file").c_str(), O_CREAT | O_RDWR, 0644));
  ASSERT_TRUE(fd);
  EXPECT_OK(cluster.Stop("alpha"));
}

TEST(LifecycleTest, EverythingIsThereAfterARestart) {
  Cluster cluster;
  ASSERT_OK(cluster.Start());
  for (int round = 0; round < 3; ++round) {
    Write(cluster.Mount("alpha", "docs") + "/file" + std::to_string(round), "round " + std::to_string(round));
    Append(cluster.Mount("bravo", "mail") + "/log", std::to_string(round));
    ASSERT_OK(cluster.StopAll());
    ASSERT_OK(cluster.Start());
  }
  EXPECT_EQ(Read(cluster.Mount("alpha", "docs") + "/file0"), "round 0");
  EXPECT_EQ(Read(cluster.Mount("bravo", "mail") + "/log"), "012");
  EXPECT_OK(cluster.CompareAllTrees());
}

TEST(LifecycleTest, MountLeftByAKilledNodeIsDetachedAtStart) {
  Cluster cluster;
  ASSERT_OK(cluster.Start());
  Write(cluster.Mount("alpha", "docs") + "/file", "content");
  ASSERT_TRUE(std::filesystem::is_directory(cluster.Mount("alpha", "docs")));  // the kernel remembers that
  cluster.Kill("alpha");
  const auto check = cluster.Hawser({"check", "--node", "alpha"});
  ASSERT_OK(check);
  EXPECT_THAT(check->output, ::testing::HasSubstr("a dead mount that an earlier process left"));
  EXPECT_EQ(ErrnoOfWriting(cluster.Mount("alpha", "docs") + "/file"), ENOTCONN);
  ASSERT_OK(cluster.Start("alpha"));
  EXPECT_EQ(Read(cluster.Mount("alpha", "docs") + "/file"), "content");
  Write(cluster.Mount("alpha", "docs") + "/another", "more");
  EXPECT_OK(cluster.CompareAllTrees());
}

// A process that holds charlie's state folder is killed while it waits, in a mount of docs, for somebody who
// doesn't answer: the kernel doesn't let it end.
TEST(LifecycleTest, StartTakesOverFromAKilledProcessThatHangsInItsMount) {
  Cluster cluster;
  ASSERT_OK(cluster.Start());
  ASSERT_OK(cluster.Stop("charlie"));
  const std::string mount = cluster.Mount("alpha", "docs");
  const std::string config = cluster.folder() + "/there.yaml";
  Write(config,
        std::regex_replace(Read(cluster.config()), std::regex(cluster.Mount("charlie", "docs")), mount));

  cluster.Freeze("relay");
  auto hanging = Process::Start(
      {.command = {"flock", "--no-fork", cluster.State("charlie") + "/lock", "touch", mount + "/new"},
       .output = cluster.folder() + "/touch.log",
       .folder = {},
       .environment = {}});
  ASSERT_OK(hanging);
  ASSERT_TRUE(
      WaitUntil([&] { return Read(cluster.Log("alpha")).find("1 change waits") != std::string::npos; }));
  cluster.Freeze("alpha");
  hanging->Signal(SIGKILL);
  cluster.Thaw("relay");

  const TempDir folder;
  Daemons there(folder.path());
  const HawserProgram program{HAWSER_PROGRAM, config, cluster.folder(), {}};
  ASSERT_OK(there.Launch("charlie", program.ServiceCommand("charlie")));
  ASSERT_OK(there.AwaitReady("charlie"));
  EXPECT_THAT(Read(there.Log("charlie")), ::testing::HasSubstr("has been killed and hangs in the kernel"));
  ASSERT_OK(hanging->Wait());
  EXPECT_OK(there.Stop("charlie"));
}

TEST(LifecycleTest, RelayRestartedUnderIdleNodesIsFoundAgain) {
  Cluster cluster;
  ASSERT_OK(cluster.Start());
  Write(cluster.Mount("alpha", "docs") + "/before", "x");
  ASSERT_OK(cluster.Stop("relay"));
  ASSERT_OK(cluster.Start("relay"));
  Write(cluster.Mount("alpha", "docs") + "/after", "y");
  Write(cluster.Mount("bravo", "mail") + "/after", "z");
  EXPECT_OK(cluster.CompareAllTrees());
}

TEST(LifecycleTest, UpRunsEverythingAndEndsWithOneSignal) {
  Cluster cluster;
  auto up = Process::Start({.command = {HAWSER_PROGRAM, "up", "-c", cluster.config()},
                            .output = cluster.Log("up"),
                            .folder = "",
                            .environment = {}});
  ASSERT_OK(up);
  // Each process says that it is ready; then `up` itself says what is where.
  ASSERT_TRUE(WaitUntil([&] {
    return Read(cluster.Log("up")).find("\nready: alpha: docs at") != std::string::npos || !up->running();
  }));
  ASSERT_TRUE(up->running()) << Read(cluster.Log("up"));
  Write(cluster.Mount("alpha", "docs") + "/file", "content");
  EXPECT_OK(cluster.CompareAllTrees());
  up->Signal(SIGTERM);
  const auto exit = up->Wait();
  ASSERT_OK(exit);
  EXPECT_EQ(*exit, 0) << Read(cluster.Log("up"));
  EXPECT_FALSE(IsMounted(cluster.Mount("charlie", "docs")));
}

// Its primary would have to begin where the journal no longer reaches back to. It needs a sync; docs doesn't.
TEST(LifecycleTest, AVolumeThatIsAddedLaterKeepsNoOtherOfTheNodeFromBeingServed) {
  Cluster cluster({.volume_keys = {},
                   .relay_keys = {{"keep", "{ size: 1MiB, time: 1s, free: 128MiB }"}},
                   .replica_keys = {},
                   .prefix = {}});
  ASSERT_OK(cluster.Start());
  const std::string docs = cluster.Mount("alpha", "docs");
  const std::string block(kMiB, 'b');
  for (int i = 0; i < 70; ++i) Append(docs + "/big", block);
  ASSERT_TRUE(WaitUntil([&] {
    const auto status = cluster.GetStatus();
    return status && (*status)["relay"]["journal_bytes"] == 64 * kMiB;
  })) << "the first segment stays";
  ASSERT_OK(cluster.StopAll());

  std::string config = Read(cluster.config());
  const auto add = [&](const std::string& before, const std::string& line) {
    config.insert(config.find(before), line);
  };
  add("  docs: { primary", "  logs: { primary: alpha }\n");
  add("      docs: { store: " + cluster.Store("alpha", "docs"),
      "      logs: { store: " + cluster.Store("alpha", "logs") +
          ", mount: " + cluster.Mount("alpha", "logs") + " }\n");
  Write(cluster.config(), config);
  std::filesystem::create_directories(cluster.Store("alpha", "logs"));
  std::filesystem::create_directories(cluster.Mount("alpha", "logs"));
  ASSERT_OK(cluster.Start());
  Write(docs + "/after", "served");
  EXPECT_TRUE(WaitUntil([&] { return cluster.StateOf("alpha") == "needs_sync"; }))
      << cluster.StateOf("alpha");
  const auto status = cluster.GetStatus();
  ASSERT_OK(status);
  EXPECT_EQ((*status)["nodes"]["alpha"]["volumes"]["docs"]["state"], "live");
  EXPECT_EQ((*status)["nodes"]["alpha"]["volumes"]["logs"]["state"], "needs_sync");
  // An empty folder would be taken for the volume.
  EXPECT_EQ(ErrnoOfListing(cluster.Mount("alpha", "logs")), ENODATA);
  ASSERT_OK(cluster.WaitForSecondaries());
  EXPECT_OK(cluster.CompareAllTrees());
}

// A copy that has lost its disks, and what it needs is gone: it has nothing to show.
TEST(LifecycleTest, AnEmptyCopyThatNeedsASyncAnswersNoCall) {
  Cluster cluster({.volume_keys = {},
                   .relay_keys = {{"keep", "{ size: 1MiB, time: 1s, free: 128MiB }"}},
                   .replica_keys = {},
                   .prefix = {}});
  ASSERT_OK(cluster.Start());
  const std::string block(kMiB, 'b');
  for (int i = 0; i < 70; ++i) Append(cluster.Mount("alpha", "docs") + "/big", block);
  ASSERT_TRUE(WaitUntil([&] {
    const auto status = cluster.GetStatus();
    return status && (*status)["relay"]["journal_bytes"] == 64 * kMiB;
  })) << "the first segment stays";
  ASSERT_OK(cluster.Stop("charlie"));
  for (const auto& entry : std::filesystem::directory_iterator(cluster.State("charlie"))) {
    if (entry.path().filename() != "incarnation") std::filesystem::remove_all(entry.path());
  }
  for (const std::string volume : {"docs", "mail"}) {
    std::filesystem::remove_all(cluster.Store("charlie", volume));
    std::filesystem::create_directory(cluster.Store("charlie", volume));
  }
  ASSERT_OK(cluster.Start("charlie"));
  EXPECT_TRUE(WaitUntil([&] { return cluster.StateOf("charlie") == "needs_sync"; }))
      << cluster.StateOf("charlie");
  EXPECT_TRUE(WaitUntil([&] { return ErrnoOfListing(cluster.Mount("charlie", "docs")) == ENODATA; }));
  EXPECT_EQ(ErrnoOfListing(cluster.Mount("alpha", "docs")), 0);
}

}  // namespace
}  // namespace hawser::test
