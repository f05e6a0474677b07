// `hawser up`: relay and nodes as processes, with real mounts.
#include <gmock/gmock.h>
#include <sys/mount.h>

#include <csignal>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "tests/cli/program.h"

namespace hawser::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Up : public ProgramTest {
 protected:
  void SetUp() override { WriteConfig(); }

  void TearDown() override {
    up_.reset();  // its children end with it
    WaitUntil([&] { return Children().empty(); });
    for (const char* mount : {"alpha.mount", "charlie.mount", "lab/mnt/alpha/docs", "lab/mnt/charlie/docs"})
      ::umount2(Path(mount).c_str(), MNT_DETACH);
  }

  void StartUp() {
    up_.emplace(StartHawser({"up"}, Path("up.log")));
    ASSERT_TRUE(WaitUntil([&] { return Said("ready: alpha: ") || !up_->running(); }));
    ASSERT_TRUE(up_->running()) << Log();
  }

  std::string Log() const { return Content(Path("up.log")); }
  bool Said(const std::string& text) const { return Log().find(text) != std::string::npos; }

  // The processes that `up` has started: their working folder is the test's, and each runs hawser.
  std::set<pid_t> Children() const {
    const auto found =
        RunCommand({"sh", "-c",
                    "for p in /proc/[0-9]*; do [ \"$(readlink $p/cwd)\" = '" + folder() +
                        "' ] && [ \"$(cat $p/comm)\" = hawser ] && echo ${p#/proc/}; done; true"},
                   "/");
    std::set<pid_t> pids;
    std::istringstream text(found ? found->output : "");
    for (pid_t pid = 0; text >> pid;) {
      if (!up_ || pid != up_->pid()) pids.insert(pid);
    }
    return pids;
  }

  pid_t ChildWith(const std::string& argument) const {
    for (const pid_t pid : Children()) {
      if (Content("/proc/" + std::to_string(pid) + "/cmdline").find(std::string(1, '\0') + argument) !=
          std::string::npos) {
        return pid;
      }
    }
    ADD_FAILURE() << "no process with " << argument;
    return 0;
  }

  std::optional<Process> up_;
};

TEST_F(Up, MountsAreReadyWhenItSaysSoAndGoneWhenItHasStopped) {
  StartUp();
  EXPECT_THAT(Log(), HasSubstr("ready: alpha: docs at " + Path("alpha.mount") + "; charlie: docs at " +
                               Path("charlie.mount")));
  std::ofstream(Path("alpha.mount/hello")) << "world";
  EXPECT_EQ(Hawser({"wait", "--timeout", "60s"}).exit, 0);
  EXPECT_EQ(Content(Path("charlie.mount/hello")), "world");

  up_->Signal(SIGTERM);
  const auto exit = up_->Wait();
  ASSERT_TRUE(exit);
  EXPECT_EQ(*exit, 0) << Log();
  EXPECT_TRUE(Children().empty());
  EXPECT_FALSE(std::ifstream(Path("alpha.mount/hello")).good()) << "still mounted";
}

// What a new user does first.
TEST_F(Up, LabOfInitRunsAtOnce) {
  ASSERT_EQ(RunCommand({"rm", "hawser.yaml"}, folder())->exit, 0);
  const ProgramResult init = Hawser({"init", "--lab", "--port", std::to_string(FreePorts(1).front())});
  ASSERT_EQ(init.exit, 0) << init.err;
  StartUp();
  std::ofstream(Path("lab/mnt/alpha/docs/hello")) << "world";
  EXPECT_EQ(Hawser({"wait", "--timeout", "60s"}).exit, 0);
  EXPECT_EQ(Content(Path("lab/mnt/charlie/docs/hello")), "world");
  EXPECT_EQ(Hawser({"status", "--check"}).exit, 0);
  up_->Signal(SIGTERM);
  const auto exit = up_->Wait();
  ASSERT_TRUE(exit);
  EXPECT_EQ(*exit, 0) << Log();
}

// Whatever a process prints: its log, what a program that it runs says, errors at its end.
TEST_F(Up, EachLineSaysWhoseItIs) {
  ASSERT_EQ(RunCommand({"rmdir", "charlie.store"}, folder())->exit, 0);
  const ProgramResult result = Hawser({"up", "--log-level", "debug"});
  std::istringstream lines(result.err);
  const std::regex logged(R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \w+ +(up|relay|alpha|charlie): .*)");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("hawser: up: ")) continue;
    EXPECT_TRUE(std::regex_match(line, logged)) << line;
  }
  EXPECT_THAT(result.err, HasSubstr(" error charlie: hawser: node charlie: "));
}

TEST_F(Up, WhatIsForeseenForTheGroupIsSaidOnce) {
  ChangeConfig("group: test", "group: test\nfailover: { after: [\"logger moved\"] }");
  StartUp();
  const std::string log = Log();
  const auto at = log.find("config 'failover.after'");
  ASSERT_NE(at, std::string::npos) << log;
  EXPECT_EQ(log.find("config 'failover.after'", at + 1), std::string::npos) << log;
}

TEST_F(Up, DebugLogTellsWhatIsDone) {
  up_.emplace(StartHawser({"up", "--log-level", "debug"}, Path("up.log")));
  ASSERT_TRUE(WaitUntil([&] { return Said("ready: alpha: ") || !up_->running(); }));
  std::ofstream(Path("alpha.mount/hello")) << "world";
  EXPECT_EQ(Hawser({"wait", "--timeout", "60s"}).exit, 0);
  for (const char* line :
       {"debug relay: 1 write groups of 1 messages are durable", "debug relay: node charlie pulls",
        "debug charlie: pulled ", "debug alpha: docs: flushed up to "})
    EXPECT_TRUE(WaitUntil([&] { return Said(line); })) << line << "\n" << Log();
}

TEST_F(Up, InterruptStopsNodesBeforeTheRelay) {
  StartUp();
  up_->Signal(SIGINT);
  ASSERT_TRUE(up_->Wait());
  const std::string log = Log();
  const auto relay_stops = log.find("relay: stopping on SIGTERM");
  ASSERT_NE(relay_stops, std::string::npos) << log;
  EXPECT_LT(log.find("alpha: stopped"), relay_stops) << log;
  EXPECT_LT(log.find("charlie: stopped"), relay_stops) << log;
}

TEST_F(Up, LostNodeIsReportedAndTheOthersGoOn) {
  StartUp();
  ::kill(ChildWith("charlie"), SIGKILL);
  ASSERT_TRUE(WaitUntil([&] { return Said("node charlie was killed by SIGKILL"); })) << Log();
  std::ofstream(Path("alpha.mount/hello")) << "world";
  EXPECT_EQ(Content(Path("alpha.mount/hello")), "world");
  EXPECT_TRUE(up_->running());
  up_->Signal(SIGTERM);
  const auto exit = up_->Wait();
  ASSERT_TRUE(exit);
  EXPECT_EQ(*exit, 3) << "somebody was lost";
}

TEST_F(Up, ChildrenEndWithTheirParent) {
  StartUp();
  EXPECT_EQ(Children().size(), 3u);
  up_->Signal(SIGKILL);
  ASSERT_TRUE(up_->Wait());
  EXPECT_TRUE(WaitUntil([&] { return Children().empty(); })) << "processes are left behind";
}

TEST_F(Up, NodeThatCannotStartStopsEverything) {
  ASSERT_EQ(RunCommand({"rmdir", "charlie.store"}, folder())->exit, 0);
  const ProgramResult result = Hawser({"up"});
  EXPECT_EQ(result.exit, 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr("charlie.store"), HasSubstr("hawser: up: not everything started")));
  EXPECT_TRUE(Children().empty());
}

TEST_F(Up, MountsAtOnePathAreForMachinesOfTheirOwn) {
  ChangeConfig("charlie.mount", "alpha.mount");
  const ProgramResult result = Hawser({"up"});
  EXPECT_EQ(result.exit, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("nodes.charlie.volumes.docs.mount: '" + Path("alpha.mount") +
                                          "' is the same folder as nodes.alpha.volumes.docs.mount"),
                                HasSubstr("'hawser mount NODE'")));
  EXPECT_TRUE(Children().empty());

  up_.emplace(StartHawser({"mount", "charlie"}, Path("up.log")));
  EXPECT_TRUE(WaitUntil([&] { return Said("ready: mounted " + Path("alpha.mount")) || !up_->running(); }));
  EXPECT_TRUE(up_->running()) << Log();
}

TEST_F(Up, HangupEndsNobody) {
  StartUp();
  up_->Signal(SIGHUP);
  ASSERT_TRUE(WaitUntil([&] { return Said("up: SIGHUP: ") || !up_->running(); }));
  ASSERT_TRUE(up_->running()) << Log();
  std::ofstream(Path("alpha.mount/hello")) << "world";
  EXPECT_EQ(Content(Path("alpha.mount/hello")), "world");
  EXPECT_EQ(Children().size(), 3u);
}

TEST_F(Up, SignalWhileStartingStopsEverything) {
  up_.emplace(StartHawser({"up"}, Path("up.log")));
  ASSERT_TRUE(WaitUntil([&] { return Said("relay of group test"); }));
  up_->Signal(SIGTERM);
  const auto exit = up_->Wait();
  ASSERT_TRUE(exit);
  EXPECT_EQ(*exit, 0) << Log();
  EXPECT_TRUE(Children().empty());
}

}  // namespace
}  // namespace hawser::test
