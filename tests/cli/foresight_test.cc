// What `hawser check` says before it happens, the start of a relay or node says too.
#include <gmock/gmock.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"

namespace hawser::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Foresight : public ProgramTest {
 protected:
  void SetUp() override { WriteConfig(); }

  // What `check` says of `what` besides "OK"; null if nothing.
  json Finding(const std::string& what, const std::vector<std::string>& options = {}) const {
    std::vector<std::string> command{"check", "--json"};
    command.insert(command.end(), options.begin(), options.end());
    const auto report = json::parse(Hawser(command).out, nullptr, false);
    for (const auto& finding : report.value("findings", json::array())) {
      if (finding.value("what", "") == what && finding.value("is", "OK") != "OK") return finding;
    }
    return {};
  }

  // `check` warns of `what`, and goes on to say that all is there. The warning's text.
  std::string Warning(const std::string& what) const {
    const json finding = Finding(what);
    EXPECT_EQ(finding.is_null() ? "" : finding.value("is", ""), "warning") << what;
    EXPECT_EQ(Hawser({"check"}).exit, 0);
    return finding.is_null() ? "" : finding.value("found", "");
  }

  // `check` and the relay's start refuse, in the same words.
  void ExpectRefused(const std::string& what, const std::string& found) const {
    const json finding = Finding(what, {"--relay"});
    ASSERT_FALSE(finding.is_null()) << what;
    EXPECT_EQ(finding.value("is", ""), "problem");
    EXPECT_THAT(finding.value("found", ""), HasSubstr(found));
    const ProgramResult start = Hawser({"relay"});
    EXPECT_EQ(start.exit, 3);
    EXPECT_THAT(start.err, AllOf(HasSubstr("hawser: relay: " + what), HasSubstr(finding.value("found", "?")),
                                 HasSubstr(finding.value("todo", "?"))));
  }

  // What a process has logged until it is ready, when it is stopped.
  std::string LogOfStart(const std::vector<std::string>& command) const {
    const std::string log = Path(command.front() + ".log");
    Process process = StartHawser(command, log);
    EXPECT_TRUE(
        WaitUntil([&] { return Content(log).find("ready: ") != std::string::npos || !process.running(); }));
    process.Signal(SIGTERM);
    EXPECT_TRUE(process.Wait());
    return Content(log);
  }
};

TEST_F(Foresight, RoomThatTheDiskDoesNotHave) {
  ChangeConfig("  journal: relay", "  journal: relay\n  keep: { free: 4096TiB }");
  ExpectRefused("relay room", "keep.free is 4.0 PiB, and the whole disk has ");
}

TEST_F(Foresight, AddressOfAnotherMachine) {
  ChangeConfig("  journal: relay", "  journal: relay\n  address: 203.0.113.1\n  insecure: true");
  ExpectRefused("relay address", "is no address of this machine");
  EXPECT_TRUE(Finding("relay address").is_null()) << "this may be a node's machine";
}

TEST_F(Foresight, JournalStateAndStoreInMemory) {
  struct statfs info {};
  if (::statfs("/dev/shm", &info) != 0 || info.f_type != TMPFS_MAGIC) GTEST_SKIP() << "/dev/shm is no tmpfs";
  const std::string memory = "/dev/shm/" + std::filesystem::path(folder()).filename().string();
  ChangeConfig("journal: relay", "journal: " + memory + "/relay");
  ChangeConfig("state: charlie", "state: " + memory + "/charlie");
  ChangeConfig("charlie.store", memory + "/charlie.store");
  std::filesystem::create_directories(memory + "/charlie.store");
  for (const char* what : {"relay journal", "charlie state", "charlie docs store"})
    EXPECT_THAT(Warning(what), HasSubstr("lies in memory (tmpfs)")) << what;
  EXPECT_THAT(LogOfStart({"relay"}),
              HasSubstr("warning relay: relay journal '" + memory + "/relay' lies in memory"));
  EXPECT_THAT(LogOfStart({"mount", "charlie"}),
              HasSubstr("warning charlie: charlie docs store '" + memory + "/charlie.store' lies in memory"));
  std::error_code failed;
  RemoveAll(memory, failed);
}

// Mounts overlay on alpha's store.
class ForesightOfOverlay : public Foresight {
 protected:
  void SetUp() override {
    Foresight::SetUp();
    if (::geteuid() != 0) GTEST_SKIP() << "mounting takes root";
    for (const char* name : {"lower", "upper", "work"}) std::filesystem::create_directory(Path(name));
    const std::string options =
        "lowerdir=" + Path("lower") + ",upperdir=" + Path("upper") + ",workdir=" + Path("work");
    if (::mount("overlay", Path("alpha.store").c_str(), "overlay", 0, options.c_str()) != 0)
      GTEST_SKIP() << "no overlay can be mounted here";
  }
  void TearDown() override { ::umount2(Path("alpha.store").c_str(), MNT_DETACH); }
};

TEST_F(ForesightOfOverlay, StoreOnIt) {
  EXPECT_THAT(Warning("alpha docs store"), HasSubstr("overlay"));
  EXPECT_THAT(Hawser({"check"}).out, AllOf(HasSubstr("set-group-id"), HasSubstr("a container")));
}

TEST_F(Foresight, HooksThatAreNotThereYet) {
  ChangeConfig("group: test", "group: test\nfailover: { after: [\"logger moved\"] }");
  const std::string warning = Warning("config");
  EXPECT_THAT(warning, HasSubstr("no command is run yet"));
  EXPECT_THAT(LogOfStart({"relay"}), HasSubstr("warning relay: config 'failover.after' " + warning));
}

TEST_F(Foresight, PrimaryThatTheJournalContradicts) {
  std::filesystem::create_directory(Path("alpha"));
  WriteFile("alpha/roles", R"({"docs": {"primary": "charlie", "generation": 2}})");
  EXPECT_THAT(Warning("config"),
              HasSubstr("the config names alpha as its primary, and by the journal it is charlie"));
  EXPECT_THAT(LogOfStart({"mount", "alpha"}), HasSubstr("warning alpha: volume docs: the config names alpha"))
      << "also while no relay answers";
}

TEST_F(Foresight, NamesThatDifferInCaseOnly) {
  ChangeConfig("  charlie:", "  Alpha: { state: x, volumes: { docs: { store: y, mount: z } } }\n  charlie:");
  std::filesystem::create_directory(Path("y"));
  std::filesystem::create_directory(Path("z"));
  EXPECT_THAT(Warning("config"), HasSubstr("differs from the node 'Alpha' in the case of its letters only"));
}

}  // namespace
}  // namespace hawser::test
