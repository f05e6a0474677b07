// Trees with many more files than descriptors.
#include <dirent.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

constexpr int kThreads = 8;

// HAWSER_SCALE_FILES=200000 is what the project promises; making them takes minutes.
int Files() {
  const char* files = std::getenv("HAWSER_SCALE_FILES");
  return files != nullptr ? std::atoi(files) : 20'000;
}

void MakeTree(const std::string& root, int files) {
  const int folders = std::max(kThreads, files / 1000);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([=] {
      for (int folder = t; folder < folders; folder += kThreads) {
        const std::string path = root + "/" + std::to_string(folder);
        ASSERT_SYSCALL(mkdir(path.c_str(), 0755));
        for (int i = folder; i < files; i += folders)
          ASSERT_SYSCALL(mknod((path + "/" + std::to_string(i)).c_str(), S_IFREG | 0644, 0));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

int CountByWalking(const std::string& root) {
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    struct stat info {};
    EXPECT_EQ(lstat(entry.path().c_str(), &info), 0) << entry.path() << ": " << strerrordesc_np(errno);
    files += S_ISREG(info.st_mode);
  }
  return files;
}

TEST(ScaleTest, LargeTreeIsWalkedWithFewDescriptors) {
  Cluster cluster(
      {.volume_keys = {}, .relay_keys = {}, .replica_keys = {}, .prefix = {"prlimit", "--nofile=1024:1024"}});
  ASSERT_OK(cluster.Start());
  const int files = Files();
  MakeTree(cluster.Mount("alpha", "docs"), files);
  EXPECT_EQ(CountByWalking(cluster.Mount("alpha", "docs")), files);
  ASSERT_OK(cluster.WaitForSecondaries(std::chrono::minutes(10)));
  EXPECT_EQ(CountByWalking(cluster.Mount("charlie", "docs")), files);
  EXPECT_OK(cluster.CompareAllTrees());
}

// What programs hold open leaves enough for all else: the volume goes on.
TEST(ScaleTest, OpensBeyondTheLimitGetEmfileAndChangesStillTakePlace) {
  Cluster cluster(
      {.volume_keys = {}, .relay_keys = {}, .replica_keys = {}, .prefix = {"prlimit", "--nofile=256:256"}});
  ASSERT_OK(cluster.Start());
  const std::string mount = cluster.Mount("alpha", "docs");
  Write(mount + "/first", "one");
  Write(mount + "/second", "two");
  std::vector<UniqueFd> held;
  for (;;) {
    held.emplace_back(open((mount + "/first").c_str(), O_RDWR | O_CLOEXEC));
    if (!held.back()) break;
    ASSERT_LT(held.size(), 256u);
  }
  EXPECT_EQ(errno, EMFILE);
  held.pop_back();
  EXPECT_GT(held.size(), 50u);
  // Refused before anything is journaled: no file is left behind.
  EXPECT_EQ(open((mount + "/third").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644), -1);
  EXPECT_EQ(errno, EMFILE);
  EXPECT_FALSE(std::filesystem::exists(mount + "/third"));
  ASSERT_SYSCALL(truncate((mount + "/second").c_str(), 1));
  ASSERT_SYSCALL(pwrite(held.front().get(), "ONE", 3, 0));
  ASSERT_SYSCALL(mkdir((mount + "/folder").c_str(), 0755));
  ASSERT_SYSCALL(rename((mount + "/second").c_str(), (mount + "/folder/second").c_str()));
  ASSERT_SYSCALL(unlink((mount + "/first").c_str()));
  held.clear();
  ASSERT_TRUE(WaitUntil([&] {
    const UniqueFd again(open((mount + "/folder/second").c_str(), O_RDWR | O_CLOEXEC));
    return static_cast<bool>(again);
  }));
  ASSERT_OK(cluster.WaitForSecondaries());
  EXPECT_OK(cluster.CompareAllTrees());
}

// Nor do those that hold files of a copy keep it from following.
TEST(ScaleTest, CopyFollowsThoughItsFilesAreHeldOpenUpToTheLimit) {
  Cluster cluster(
      {.volume_keys = {}, .relay_keys = {}, .replica_keys = {}, .prefix = {"prlimit", "--nofile=256:256"}});
  ASSERT_OK(cluster.Start());
  const std::string mount = cluster.Mount("alpha", "docs");
  const std::string copy = cluster.Mount("charlie", "docs");
  for (int i = 0; i < 4; ++i) Write(mount + "/" + std::to_string(i), "content");
  ASSERT_OK(cluster.WaitForSecondaries());
  std::vector<UniqueFd> held;
  for (;;) {
    held.emplace_back(open((copy + "/" + std::to_string(held.size() % 4)).c_str(), O_RDONLY | O_CLOEXEC));
    if (!held.back()) break;
    ASSERT_LT(held.size(), 256u);
  }
  EXPECT_EQ(errno, EMFILE);
  EXPECT_GT(held.size(), 50u);
  ASSERT_SYSCALL(truncate((mount + "/0").c_str(), 1));
  Write(mount + "/1", "more");
  ASSERT_SYSCALL(unlink((mount + "/2").c_str()));
  ASSERT_SYSCALL(mkdir((mount + "/folder").c_str(), 0755));
  ASSERT_SYSCALL(rename((mount + "/3").c_str(), (mount + "/folder/3").c_str()));
  ASSERT_OK(cluster.WaitForSecondaries());
  EXPECT_EQ(cluster.StateOf("charlie"), "live");
  held.clear();
  EXPECT_TRUE(WaitUntil([&] { return static_cast<bool>(UniqueFd(open((copy + "/0").c_str(), O_RDONLY))); }));
  EXPECT_OK(cluster.CompareAllTrees());
}

// A limit of the process, which the kernel tells of by a signal that ends it.
TEST(ScaleTest, FilesBeyondTheLimitOfTheirSizeAreRefusedAndChangesStillTakePlace) {
  Cluster cluster(
      {.volume_keys = {}, .relay_keys = {}, .replica_keys = {}, .prefix = {"prlimit", "--fsize=1073741824"}});
  ASSERT_OK(cluster.Start());
  const std::string file = cluster.Mount("alpha", "docs") + "/file";
  Write(file, "content");
  EXPECT_EQ(truncate(file.c_str(), 2'000'000'000), -1);
  EXPECT_EQ(errno, EFBIG);
  const UniqueFd held(open(file.c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_EQ(pwrite(held.get(), "end", 3, 1'999'999'999), -1);
  EXPECT_EQ(errno, EFBIG);
  ASSERT_SYSCALL(pwrite(held.get(), "CON", 3, 0));
  EXPECT_OK(cluster.CompareAllTrees());
  ASSERT_OK(cluster.Stop("alpha"));
  ASSERT_OK(cluster.Start("alpha"));
  EXPECT_EQ(Read(file), "CONtent");
}

TEST(ScaleTest, DescriptorsAreGivenBackAfterManyOpens) {
  Cluster cluster;
  ASSERT_OK(cluster.Start());
  const std::string mount = cluster.Mount("alpha", "docs");
  const std::string descriptors = "/proc/" + std::to_string(cluster.Running("alpha").pid()) + "/fd";
  const auto count = [&] {
    return std::distance(std::filesystem::directory_iterator(descriptors),
                         std::filesystem::directory_iterator());
  };
  Write(mount + "/first", "x");
  const auto before = count();
  for (int i = 0; i < 500; ++i) Write(mount + "/" + std::to_string(i), "x");
  for (int i = 0; i < 500; ++i) ASSERT_EQ(Read(mount + "/" + std::to_string(i)), "x");
  // The kernel tells of a close when it likes.
  EXPECT_TRUE(WaitUntil([&] { return count() < before + 50; })) << before << " before, " << count() << " now";
}

}  // namespace
}  // namespace hawser::test
