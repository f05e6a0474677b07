// Status never says fine when it isn't known to be.
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/leftovers.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

using ::testing::HasSubstr;

class StatusTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(cluster_.Start()); }

  // A member of a node in the status, "/state" or "/volumes/docs/applied"; null if nobody answers.
  nlohmann::json Of(const std::string& node, const std::string& member) const {
    const auto status = cluster_.GetStatus();
    return status ? status->value(nlohmann::json::json_pointer("/nodes/" + node + member), nlohmann::json())
                  : nlohmann::json();
  }
  bool AwaitState(const std::string& node, const std::string& state, const std::string& volume = "") const {
    const std::string member = (volume.empty() ? "" : "/volumes/" + volume) + "/state";
    return WaitUntil([&] { return Of(node, member) == state; });
  }
  void ExpectNotWell(const std::string& what) const {
    const auto check = cluster_.Hawser({"status", "--check"});
    ASSERT_OK(check);
    EXPECT_EQ(check->exit, 1) << check->output;
    EXPECT_THAT(check->output, HasSubstr(what));
  }
  bool AwaitLine(const std::string& process, const std::string& text) const {
    return WaitUntil([&] { return Lines(process, text) > 0; });
  }
  int Lines(const std::string& process, const std::string& text) const {
    std::istringstream log(Read(cluster_.Log(process)));
    int count = 0;
    for (std::string line; std::getline(log, line);) count += line.find(text) != std::string::npos ? 1 : 0;
    return count;
  }

  Cluster cluster_;
};

TEST_F(StatusTest, AllLiveIsWell) {
  for (const char* node : {"alpha", "bravo", "charlie"}) EXPECT_TRUE(AwaitState(node, "live")) << node;
  // A busy machine may miss a report at any moment.
  Result<CommandResult> check = Error{EIO, "not asked"};
  EXPECT_TRUE(WaitUntil([&] {
    check = cluster_.Hawser({"status", "--check"});
    return check && check->exit == 0;
  })) << (check ? check->output : check.error().Text());
}

TEST_F(StatusTest, AMountThatSomebodyTookDownIsUnmounted) {
  ASSERT_TRUE(AwaitState("charlie", "live"));
  ASSERT_OK(RunSuccessfully({"fusermount3", "-u", cluster_.Mount("charlie", "docs")}));
  EXPECT_TRUE(AwaitState("charlie", "unmounted", "docs"));
  EXPECT_TRUE(AwaitState("charlie", "live", "mail"));
  EXPECT_TRUE(AwaitState("charlie", "unmounted"));
  ExpectNotWell("charlie docs unmounted: programs don't see the mount");
}

// It goes on serving those who are in it, so nothing ends.
TEST_F(StatusTest, AMountThatSomebodyTookFromItsPathIsUnmounted) {
  if (geteuid() != 0) GTEST_SKIP() << "umount -l needs root";
  Write(cluster_.Mount("alpha", "docs") + "/file", "content");
  const UniqueFd open_file(::open((cluster_.Mount("alpha", "docs") + "/file").c_str(), O_RDONLY));
  ASSERT_TRUE(open_file);
  ASSERT_EQ(::umount2(cluster_.Mount("alpha", "docs").c_str(), MNT_DETACH), 0);
  EXPECT_TRUE(AwaitState("alpha", "unmounted"));
  ExpectNotWell("alpha docs unmounted");
}

TEST_F(StatusTest, AStateFolderThatTakesNoCheckpointIsStalled) {
  for (const std::string node : {"alpha", "charlie"}) {
    const std::string folder = cluster_.State(node) + "/docs";
    ASSERT_TRUE(std::filesystem::is_directory(folder));
    std::filesystem::rename(folder, folder + ".away");
  }
  Write(cluster_.Mount("alpha", "docs") + "/file", "content");
  for (const std::string node : {"alpha", "charlie"}) {
    EXPECT_TRUE(AwaitState(node, "stalled", "docs")) << node;
    EXPECT_THAT(Of(node, "/volumes/docs/problem").dump(), HasSubstr("no checkpoint can be written"));
    const std::string folder = cluster_.State(node) + "/docs";
    std::filesystem::rename(folder + ".away", folder);
    EXPECT_TRUE(AwaitState(node, "live", "docs")) << node;
  }
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(StatusTest, AStoppedNodeIsDisconnectedAndLoggedOnce) {
  ASSERT_TRUE(AwaitState("charlie", "live"));
  cluster_.Freeze("charlie");
  EXPECT_TRUE(AwaitState("charlie", "disconnected"));
  ExpectNotWell("charlie docs disconnected: not heard of for ");
  EXPECT_TRUE(AwaitLine("relay", "node charlie: disconnected: not heard of for "));
  cluster_.Thaw("charlie");
  EXPECT_TRUE(AwaitState("charlie", "live"));
  EXPECT_EQ(Lines("relay", "node charlie: disconnected: not heard of for "), 1);
}

TEST_F(StatusTest, LagInSecondsGrowsWhileWritersPause) {
  ASSERT_TRUE(AwaitState("charlie", "live"));
  cluster_.Freeze("charlie");
  Write(cluster_.Mount("alpha", "docs") + "/file", "content");
  const auto lag = [this] {
    const auto seconds = Of("charlie", "/lag/seconds");
    return seconds.is_number() ? seconds.get<double>() : 0;
  };
  EXPECT_TRUE(WaitUntil([&] { return lag() > 0.5; }));
  EXPECT_TRUE(WaitUntil([&] { return lag() > 2; })) << "nobody writes any more";
  cluster_.Thaw("charlie");
  EXPECT_TRUE(WaitUntil([&] { return Of("charlie", "/lag/seconds") == 0; }));
}

TEST_F(StatusTest, ARestartedRelayKnowsNothingUntilItHears) {
  for (const char* node : {"alpha", "bravo", "charlie"}) cluster_.Freeze(node);
  ASSERT_OK(cluster_.Stop("relay"));
  ASSERT_OK(cluster_.Start("relay"));
  for (const char* node : {"alpha", "bravo", "charlie"}) {
    EXPECT_EQ(Of(node, "/state"), "unknown") << node;
    for (const char* figure : {"/received", "/applied", "/checkpoint", "/lag/records", "/lag/seconds"})
      EXPECT_TRUE(Of(node, figure).is_null()) << node << figure;
  }
  ExpectNotWell("alpha docs unknown: not heard of since the relay was started");
  for (const char* node : {"alpha", "bravo", "charlie"}) cluster_.Thaw(node);
  for (const char* node : {"alpha", "bravo", "charlie"}) EXPECT_TRUE(AwaitState(node, "live")) << node;
}

TEST_F(StatusTest, NodesLogTheRelaysLossAndReturnWithoutAnyWrite) {
  cluster_.Kill("relay");
  for (const char* node : {"alpha", "charlie"}) EXPECT_TRUE(AwaitLine(node, "doesn't answer")) << node;
  ASSERT_OK(cluster_.Start("relay"));
  for (const char* node : {"alpha", "charlie"}) {
    EXPECT_TRUE(AwaitLine(node, " answers again after ")) << node;
    EXPECT_EQ(Lines(node, "doesn't answer"), 1) << node;
  }
}

TEST_F(StatusTest, ANodeSaysThatWritersWaitForTheRelay) {
  cluster_.Kill("relay");
  std::thread writer([this] { Write(cluster_.Mount("alpha", "docs") + "/file", "content"); });
  EXPECT_TRUE(AwaitLine("alpha", "1 change waits for the relay's answer"));
  EXPECT_OK(cluster_.Start("relay"));
  writer.join();
  EXPECT_TRUE(AwaitLine("alpha", "changes go on after "));
  EXPECT_EQ(Lines("bravo", "for the relay's answer"), 0);
}

TEST_F(StatusTest, ACopysMountIsReadOnlyForProgramsThatAsk) {
  const auto flags = [](const std::string& path) {
    struct statvfs info {};
    EXPECT_EQ(::statvfs(path.c_str(), &info), 0) << path;
    return info.f_flag;
  };
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const std::string copy = cluster_.Mount("charlie", "docs");
  EXPECT_EQ(flags(copy) & ST_RDONLY, ST_RDONLY);
  EXPECT_EQ(::access(copy.c_str(), W_OK), -1);
  EXPECT_EQ(errno, EROFS);
  EXPECT_EQ(ErrnoOfWriting(copy + "/file"), EROFS);
  const std::string original = cluster_.Mount("alpha", "docs");
  EXPECT_EQ(flags(original) & ST_RDONLY, 0);
  EXPECT_EQ(::access(original.c_str(), W_OK), 0);
}

TEST_F(StatusTest, AHangupEndsNobody) {
  for (const char* process : {"relay", "alpha", "charlie"}) {
    cluster_.Running(process).Signal(SIGHUP);
    EXPECT_TRUE(AwaitLine(process, "SIGHUP: the config can't be read anew")) << process;
  }
  Write(cluster_.Mount("alpha", "docs") + "/file", "content");
  EXPECT_OK(cluster_.CompareAllTrees());
}

}  // namespace
}  // namespace hawser::test
