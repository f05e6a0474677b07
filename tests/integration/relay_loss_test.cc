// The relay is away: what callers and readers meet.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/syscall.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <regex>
#include <thread>
#include <vector>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

TEST(RelayLossTest, BlockedCallersFinishWhenTheRelayIsBack) {
  Cluster cluster;
  ASSERT_OK(cluster.Start());
  const std::string mount = cluster.Mount("alpha", "docs");
  Write(mount + "/before", "content");
  cluster.Kill("relay");

  std::atomic<int> finished = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&, i] {
      Write(mount + "/during" + std::to_string(i), "waited");
      ++finished;
    });
  }
  // Readers don't wait, however many callers do.
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(Read(mount + "/before"), "content");
    struct stat info {};
    ASSERT_SYSCALL(stat(mount.c_str(), &info));
  }
  EXPECT_EQ(finished, 0) << "a call returned although no relay had it";
  EXPECT_OK(cluster.Start("relay"));
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(finished, 8);
  EXPECT_OK(cluster.CompareAllTrees());
}

// Files in alpha's docs, one for each of so many callers: whoever makes a name keeps others from looking up
// names in that folder, in the kernel.
std::vector<std::string> WriteFiles(const Cluster& cluster, int count) {
  std::vector<std::string> files;
  for (int i = 0; i < count; ++i) {
    files.push_back(cluster.Mount("alpha", "docs") + "/file" + std::to_string(i));
    Write(files.back(), "before ");
  }
  return files;
}

// Each caller has appended to its file.
void ExpectAppended(const std::vector<std::string>& files) {
  for (const std::string& file : files) EXPECT_EQ(Read(file), "before waited");
}

TEST(RelayLossTest, ManyMoreBlockedCallersThanThreadsLeaveReadersAlone) {
  constexpr int kCallers = 64;
  Cluster cluster;
  ASSERT_OK(cluster.Start());
  const std::string mount = cluster.Mount("alpha", "docs");
  const auto files = WriteFiles(cluster, kCallers);
  cluster.Kill("relay");
  std::vector<std::thread> callers;
  for (const std::string& file : files) callers.emplace_back([&] { Append(file, "waited"); });
  for (int i = 0; i < kCallers; ++i) EXPECT_FALSE(Exists(mount + "/nothing" + std::to_string(i)));
  EXPECT_TRUE(std::filesystem::exists(mount));
  EXPECT_OK(cluster.Start("relay"));
  for (std::thread& caller : callers) caller.join();
  ExpectAppended(files);
  EXPECT_OK(cluster.CompareAllTrees());
}

TEST(RelayLossTest, AFileWithAWaitingWriterIsReadAndClosedByOthers) {
  Cluster cluster;
  ASSERT_OK(cluster.Start());
  const std::string file = cluster.Mount("alpha", "docs") + "/file";
  Write(file, "content");
  EXPECT_EQ(Read(file), "content");  // the kernel has the page: one that it hasn't is locked by the writer
  cluster.Kill("relay");
  const auto start = [&](std::vector<std::string> command) {
    return Process::Start(
        {.command = std::move(command), .output = cluster.Log("caller"), .folder = "", .environment = {}});
  };
  auto writer = start({"dd", "if=/dev/zero", "of=" + file, "bs=4", "count=1", "conv=notrunc"});
  ASSERT_OK(writer);
  const std::string now_in = fmt::format("/proc/{}/syscall", writer->pid());
  ASSERT_TRUE(WaitUntil([&] { return Read(now_in).starts_with(fmt::format("{} ", SYS_write)); }));

  auto reader = start({"sh", "-c", "exec 3<>'" + file + "' && cat <&3 && exec 3>&-"});
  ASSERT_OK(reader);
  const auto exit = reader->Wait();
  EXPECT_TRUE(exit && *exit == 0) << "a reader waits for the writer";
  EXPECT_OK(cluster.Start("relay"));
  EXPECT_OK(writer->Wait());
  EXPECT_OK(cluster.CompareAllTrees());
}

TEST(RelayLossTest, BlockedCallerCanBeKilled) {
  Cluster cluster;
  ASSERT_OK(cluster.Start());
  const std::string file = cluster.Mount("alpha", "docs") + "/file";
  Write(file, "content");
  cluster.Kill("relay");
  auto caller = Process::Start({.command = {"sh", "-c", "echo more >> '" + file + "'"},
                                .output = cluster.Log("caller"),
                                .folder = "",
                                .environment = {}});
  ASSERT_OK(caller);
  EXPECT_FALSE(caller->Wait(std::chrono::milliseconds(500))) << "the call should wait";
  caller->Signal(SIGKILL);
  EXPECT_OK(caller->Wait());
  ASSERT_OK(cluster.Start("relay"));
  Write(cluster.Mount("alpha", "docs") + "/after", "x");
  EXPECT_OK(cluster.CompareAllTrees());
}

// Whoever waits first does the waiting for the relay's answers; it must not take the others with it.
TEST(RelayLossTest, AKilledCallerTakesNoOtherWithIt) {
  constexpr int kOthers = 6;
  Cluster cluster;
  ASSERT_OK(cluster.Start());
  const std::string mount = cluster.Mount("alpha", "docs");
  const auto file = [&](int i) { return mount + "/file" + std::to_string(i); };
  for (int i = 0; i <= kOthers; ++i) Write(file(i), "before ");
  cluster.Kill("relay");
  auto first = Process::Start({.command = {"sh", "-c", "echo more >> '" + file(kOthers) + "'"},
                               .output = cluster.Log("caller"),
                               .folder = "",
                               .environment = {}});
  ASSERT_OK(first);
  EXPECT_FALSE(first->Wait(std::chrono::milliseconds(300))) << "the call should wait";
  std::vector<std::thread> others;
  for (int i = 0; i < kOthers; ++i) others.emplace_back([&, i] { Append(file(i), "waited"); });
  first->Signal(SIGKILL);
  EXPECT_OK(first->Wait());
  EXPECT_OK(cluster.Start("relay"));
  for (std::thread& other : others) other.join();
  for (int i = 0; i < kOthers; ++i) EXPECT_EQ(Read(file(i)), "before waited");
  // What was under way of it is finished without it, and keeps its file until then.
  Append(file(kOthers), "after");
  EXPECT_OK(cluster.CompareAllTrees());
}

TEST(RelayLossTest, CallersFailWithEioAfterTheTimeoutIfAskedTo) {
  Cluster cluster({.volume_keys = {{"on_relay_loss", "fail"}, {"timeout", "1s"}},
                   .relay_keys = {},
                   .replica_keys = {},
                   .prefix = {}});
  ASSERT_OK(cluster.Start());
  const std::string mount = cluster.Mount("alpha", "docs");
  Write(mount + "/before", "content");
  cluster.Kill("relay");
  EXPECT_EQ(ErrnoOfWriting(mount + "/during"), EIO);
  EXPECT_EQ(Read(mount + "/before"), "content");
  EXPECT_FALSE(Exists(mount + "/during"));
  ASSERT_OK(cluster.Start("relay"));
  EXPECT_TRUE(WaitUntil([&] { return ErrnoOfWriting(mount + "/after") == 0; }));
  EXPECT_OK(cluster.CompareAllTrees());
}

TEST(RelayLossTest, AStopSaysWhatBecomesOfChangesUnderWay) {
  Cluster cluster({.volume_keys = {{"on_relay_loss", "fail"}, {"timeout", "1s"}},
                   .relay_keys = {},
                   .replica_keys = {},
                   .prefix = {}});
  ASSERT_OK(cluster.Start());
  cluster.Kill("relay");
  EXPECT_EQ(ErrnoOfWriting(cluster.Mount("alpha", "docs") + "/during"), EIO);
  ASSERT_OK(cluster.Stop("alpha"));
  EXPECT_THAT(Read(cluster.Log("alpha")),
              ::testing::HasSubstr("1 change was under way to the relay at this"));
  ASSERT_OK(cluster.Start("relay"));
  ASSERT_OK(cluster.Start("alpha"));
  EXPECT_OK(cluster.CompareAllTrees());
}

TEST(RelayLossTest, FrozenRelayIsOnlySlow) {
  Cluster cluster;
  ASSERT_OK(cluster.Start());
  const std::string mount = cluster.Mount("alpha", "docs");
  cluster.Freeze("relay");
  std::thread caller([&] { Write(mount + "/during", "waited"); });
  // Longer than a request waits before it is sent again.
  std::this_thread::sleep_for(std::chrono::seconds(5));
  cluster.Thaw("relay");
  caller.join();
  EXPECT_EQ(Read(mount + "/during"), "waited");
  EXPECT_OK(cluster.CompareAllTrees());
}

// ---- another relay answers in its place

int ErrnoOfAppending(const std::string& path, const std::string& content) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!fd) return errno;
  return write(fd.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()) ? 0 : errno;
}

// Callers whose records the right relay has got, and may have journaled, when it is killed.
class WrongRelayTest : public testing::Test {
 protected:
  static constexpr int kCallers = 6;

  void SetUp() override {
    ASSERT_OK(cluster_.Start());
    for (int i = 0; i < kCallers; ++i) Write(File(i), "before ");
    cluster_.Freeze("relay");
    for (int i = 0; i < kCallers; ++i) {
      callers_.emplace_back([this, i] {
        const int errno_seen = ErrnoOfAppending(File(i), "waited");
        if (errno_seen != 0) ADD_FAILURE() << "caller " << i << ": " << std::strerror(errno_seen);
        ++finished_;
      });
    }
    // Longer than a request waits before it is sent again.
    std::this_thread::sleep_for(std::chrono::seconds(3));
    cluster_.Kill("relay");
  }
  void TearDown() override {
    for (std::thread& caller : callers_) caller.join();
  }

  std::string File(int i) const { return cluster_.Mount("alpha", "docs") + "/file" + std::to_string(i); }

  // The relay that is running now refuses, and that settles nothing.
  void ExpectRefusalsThatSettleNothing(const std::string& why) {
    EXPECT_TRUE(WaitUntil([&] { return Read(cluster_.Log("relay")).find(why) != std::string::npos; })) << why;
    EXPECT_TRUE(WaitUntil([&] {
      return Read(cluster_.Log("alpha")).find("what became of changes is not known") != std::string::npos;
    }));
    EXPECT_EQ(finished_, 0);
    cluster_.Kill("relay");
  }
  void ExpectTheRightOneSettlesAll() {
    EXPECT_OK(cluster_.Start("relay"));
    for (std::thread& caller : callers_) caller.join();
    callers_.clear();
    for (int i = 0; i < kCallers; ++i) EXPECT_EQ(Read(File(i)), "before waited");
    // A copy that was refused says so until it has asked the right one.
    EXPECT_TRUE(WaitUntil([&] { return cluster_.StateOf("charlie") == "live"; }));
    EXPECT_OK(cluster_.CompareAllTrees());
  }

  Cluster cluster_;
  std::vector<std::thread> callers_;
  std::atomic<int> finished_ = 0;
};

TEST_F(WrongRelayTest, OneWhoseConfigDoesNotKnowTheNode) {
  const std::string right = Read(cluster_.config());
  Write(cluster_.config(), std::regex_replace(right, std::regex("alpha"), "delta"));
  EXPECT_OK(cluster_.Start("relay"));
  ExpectRefusalsThatSettleNothing("node 'alpha' holds no volumes in the relay's config");
  Write(cluster_.config(), right);
  ExpectTheRightOneSettlesAll();
}

TEST_F(WrongRelayTest, OneWhoseJournalIsEmpty) {
  const std::string aside = cluster_.journal() + ".aside";
  std::filesystem::rename(cluster_.journal(), aside);
  EXPECT_OK(cluster_.Start("relay"));
  ExpectRefusalsThatSettleNothing("follows journal");  // of whichever node: the log says one a second
  std::filesystem::remove_all(cluster_.journal());
  std::filesystem::rename(aside, cluster_.journal());
  ExpectTheRightOneSettlesAll();
}

TEST(RelayLossTest, KilledRelayLosesNothingUnderLoad) {
  Cluster cluster;
  ASSERT_OK(cluster.Start());
  const std::string log = cluster.Mount("alpha", "docs") + "/log";
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> acknowledged = 0;
  std::thread writer([&] {
    while (!stop) {
      Append(log, "0123456789");
      ++acknowledged;
    }
  });
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t before = acknowledged;
    EXPECT_TRUE(WaitUntil([&] { return acknowledged > before + 20; }));
    cluster.Kill("relay");
    EXPECT_OK(cluster.Start("relay"));
  }
  stop = true;
  writer.join();
  EXPECT_EQ(Read(log).size(), acknowledged * 10);
  EXPECT_OK(cluster.CompareAllTrees());
}

}  // namespace
}  // namespace hawser::test
