// Nobody ever writes below a mount: not while nothing is mounted, not while a primary waits for its relay,
// not while a dead mount is replaced.
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <thread>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

bool HasFlags(const std::string& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  int flags = 0;
  return ::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) == 0;
}

int Kills() {
  const char* kills = std::getenv("HAWSER_KILLS");
  return kills != nullptr ? std::atoi(kills) : 8;
}

class MountFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    if (!HasFlags(mount_)) GTEST_SKIP() << "the filesystem of the temporary folder has no immutable flag";
  }

  // Starts alpha, which then waits for the relay.
  Process StartWaiting() {
    auto started = Process::Start({.command = {HAWSER_PROGRAM, "mount", "alpha", "-c", cluster_.config()},
                                   .output = cluster_.Log("waiting"),
                                   .folder = "",
                                   .environment = {}});
    EXPECT_OK(started);
    EXPECT_TRUE(WaitUntil([&] {
      return Read(cluster_.Log("waiting")).find("waiting for it") != std::string::npos;
    })) << Read(cluster_.Log("waiting"));
    return *std::move(started);
  }
  bool AwaitMounted() {
    return WaitUntil([&] { return Read(cluster_.Log("waiting")).find("ready: ") != std::string::npos; });
  }

  // Until the relay is there that alpha waits for, writing gives this error.
  void ExpectNothingWrittenUntilMounted(int error) {
    EXPECT_EQ(ErrnoOfWriting(mount_ + "/lost"), error);
    ASSERT_OK(cluster_.Start("relay"));
    EXPECT_TRUE(AwaitMounted());
    EXPECT_EQ(ErrnoOfWriting(mount_ + "/kept"), 0);
  }

  Cluster cluster_;
  const std::string mount_ = cluster_.Mount("alpha", "docs");
};

TEST_F(MountFolderTest, WritingWhereNothingIsMountedIsRefused) {
  ASSERT_OK(cluster_.Start());
  Write(mount_ + "/file", "content");
  ASSERT_OK(cluster_.Stop("alpha"));
  EXPECT_EQ(ErrnoOfWriting(mount_ + "/lost"), EPERM);
  ASSERT_OK(cluster_.Start("alpha"));
  EXPECT_EQ(Read(mount_ + "/file"), "content");
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(MountFolderTest, AFolderWithSomethingInItIsLeftAsItIs) {
  Cluster cluster(
      {.volume_keys = {}, .relay_keys = {}, .replica_keys = {{"nonempty", "true"}}, .prefix = {}});
  const std::string mount = cluster.Mount("alpha", "docs");
  Write(mount + "/below", "hidden");
  ASSERT_OK(cluster.Start());
  ASSERT_OK(cluster.Stop("alpha"));
  EXPECT_EQ(ErrnoOfWriting(mount + "/another"), 0);
}

TEST_F(MountFolderTest, NobodyWritesThereWhileAPrimaryWaitsForItsRelay) {
  Process alpha = StartWaiting();
  ExpectNothingWrittenUntilMounted(EPERM);
}

TEST_F(MountFolderTest, ADeadMountStaysWhileAPrimaryWaitsForItsRelay) {
  ASSERT_OK(cluster_.Start());
  cluster_.Kill("alpha");
  cluster_.Kill("relay");
  Process alpha = StartWaiting();
  ExpectNothingWrittenUntilMounted(ENOTCONN);
}

// With something in the folder below, so that it is not immutable: a moment without a mount would be seen.
TEST_F(MountFolderTest, ADeadMountIsReplacedWithNothingInBetween) {
  Cluster cluster(
      {.volume_keys = {}, .relay_keys = {}, .replica_keys = {{"nonempty", "true"}}, .prefix = {}});
  const std::string mount = cluster.Mount("alpha", "docs");
  Write(mount + "/below", "hidden");
  ASSERT_OK(cluster.Start());
  std::atomic<bool> stop = false;
  std::vector<std::set<int>> seen(4);
  std::vector<std::thread> writers;
  for (std::size_t n = 0; n < seen.size(); ++n) {
    writers.emplace_back([&, n] {
      for (int i = 0; !stop; ++i)
        seen[n].insert(ErrnoOfWriting(mount + "/file" + std::to_string(n) + "-" + std::to_string(i % 50)));
    });
  }
  for (int round = 0; round < Kills() && !HasFailure(); ++round) {
    cluster.Kill("alpha");
    EXPECT_OK(cluster.Start("alpha"));
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  for (const auto& codes : seen)
    for (const int code : codes) EXPECT_TRUE(code == 0 || code == ENOTCONN || code == ECONNABORTED) << code;
  ASSERT_OK(cluster.Stop("alpha"));
  std::set<std::string> below;
  for (const auto& entry : std::filesystem::directory_iterator(mount)) below.insert(entry.path().filename());
  EXPECT_EQ(below, std::set<std::string>{"below"});
}

}  // namespace
}  // namespace hawser::test
