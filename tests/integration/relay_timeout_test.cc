// `on_relay_loss: fail`: each call is answered in its time, however many wait for the same; readers go on;
// and what became of the changes is settled when the relay is back.
#include <functional>
#include <regex>
#include <vector>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

constexpr int kCallers = 40;
// Of one call. If each of the callers waited for its own after those before it, they would take four times as
// long as kInTime.
constexpr auto kTimeout = "3s";
constexpr auto kInTime = std::chrono::seconds(30);

class RelayTimeoutTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(cluster_.Start()); }

  std::string At(const std::string& path) const { return cluster_.Mount("alpha", "docs") + "/" + path; }

  Process Shell(const std::string& script, const std::string& name) {
    auto started = Process::Start({.command = {"sh", "-c", script},
                                   .output = cluster_.folder() + "/" + name,
                                   .folder = cluster_.Mount("alpha", "docs"),
                                   .environment = {}});
    EXPECT_OK(started);
    return *std::move(started);
  }

  // All at once, each a process of its own; each is told in time that the relay did not answer.
  void ExpectErrorsInTime(const std::function<std::string(int)>& script) {
    std::vector<Process> callers;
    for (int i = 0; i < kCallers; ++i) callers.push_back(Shell(script(i), "caller" + std::to_string(i)));
    const auto end = std::chrono::steady_clock::now() + kInTime;
    for (int i = 0; i < kCallers; ++i) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      const auto exit = callers[i].Wait(std::max(left, std::chrono::milliseconds(1)));
      ASSERT_TRUE(exit) << "caller " << i << " waits and waits: " << script(i);
      EXPECT_NE(*exit, 0) << "it can't have succeeded: " << script(i);
      const std::string said = Read(cluster_.folder() + "/caller" + std::to_string(i));
      EXPECT_TRUE(std::regex_search(said, std::regex("I/O error|nput/output error")))
          << script(i) << ": " << said;
    }
  }

  void ExpectReadersGoOn(const std::vector<std::string>& scripts) {
    for (const std::string& script : scripts) {
      Process reader = Shell(script, "reader");
      const auto exit = reader.Wait(kInTime);
      ASSERT_TRUE(exit) << "a reader waits and waits: " << script;
      EXPECT_EQ(*exit, 0) << script << ": " << Read(cluster_.folder() + "/reader");
    }
  }

  // What failed may take place now, or not: either way, it does so everywhere.
  void ExpectAllSettledOnceTheRelayIsBack() {
    EXPECT_TRUE(WaitUntil([&] { return ErrnoOfWriting(At("d/after")) == 0; }));
    EXPECT_TRUE(WaitUntil([&] { return ErrnoOfWriting(At("f")) == 0; }));
    EXPECT_OK(cluster_.CompareAllTrees());
  }

  Cluster cluster_{{.volume_keys = {{"on_relay_loss", "fail"}, {"timeout", kTimeout}},
                    .relay_keys = {},
                    .replica_keys = {},
                    .prefix = {}}};
};

TEST_F(RelayTimeoutTest, ManyCallsOnOneFolderWhileTheRelayIsFrozen) {
  ASSERT_SYSCALL(mkdir(At("d").c_str(), 0755));
  for (int i = 0; i < kCallers; ++i) Write(At("d/old" + std::to_string(i)), "old");
  cluster_.Freeze("relay");
  ExpectErrorsInTime([](int i) {
    const std::string n = std::to_string(i);
    switch (i % 5) {
      case 0:
        return "echo new > d/new" + n;
      case 1:
        return "mkdir d/new" + n;
      case 2:
        return "rm d/old" + n;
      case 3:
        return "mv d/old" + n + " d/new" + n;
      default:
        return "ln -s old d/new" + n;
    }
  });
  ExpectReadersGoOn({"ls -l d", "stat d/old4", "cat d/old4", "test ! -e d/nothing", "ls -lR ."});
  cluster_.Thaw("relay");
  ExpectAllSettledOnceTheRelayIsBack();
}

TEST_F(RelayTimeoutTest, ManyCallsOnOneFileWhileTheRelayIsFrozen) {
  Write(At("f"), "content");
  ASSERT_SYSCALL(mkdir(At("d").c_str(), 0755));
  cluster_.Freeze("relay");
  ExpectErrorsInTime([](int i) {
    switch (i % 4) {
      case 0:
        return std::string("echo more >> f");
      case 1:
        return std::string("chmod 600 f");
      case 2:
        return std::string("truncate -s 3 f");
      default:
        return std::string("touch f");
    }
  });
  ExpectReadersGoOn({"cat f", "stat f", "ls -l", "wc -c < f"});
  cluster_.Thaw("relay");
  ExpectAllSettledOnceTheRelayIsBack();
}

// A call is only tried while there is hope: what is refused before it is sent doesn't take place later.
TEST_F(RelayTimeoutTest, CallsThatComeLaterAreRefusedAtOnceAndTakeNoPlace) {
  cluster_.Kill("relay");
  EXPECT_EQ(ErrnoOfWriting(At("first")), EIO);
  // Each would have a time of its own.
  ExpectErrorsInTime([](int i) {
    return "for n in 1 2 3 4 5 6 7 8 9 10 11 12; do mkdir " + std::to_string(i) + ".$n; done";
  });
  ASSERT_OK(cluster_.Start("relay"));
  EXPECT_TRUE(WaitUntil([&] { return ErrnoOfWriting(At("after")) == 0; }));
  EXPECT_TRUE(WaitUntil([&] { return Exists(At("first")); }));
  EXPECT_FALSE(Exists(At("3.12")));
  EXPECT_OK(cluster_.CompareAllTrees());
  // Said once, not of each.
  EXPECT_TRUE(WaitUntil([&] {
    return std::regex_search(Read(cluster_.Log("alpha")), std::regex("; [0-9]{3} were refused meanwhile"));
  }));
  EXPECT_EQ(Read(cluster_.Log("alpha")).find("a call failed"), std::string::npos);
  // Only the first may have taken place later, and did.
  nlohmann::json docs;
  EXPECT_TRUE(WaitUntil([&] {
    const auto status = cluster_.GetStatus();
    if (status) docs = (*status)["nodes"]["alpha"]["volumes"]["docs"];
    return docs.value("unanswered", 0) == 1;
  })) << docs;
}

}  // namespace
}  // namespace hawser::test
