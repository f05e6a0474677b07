// Stores of one volume on filesystems that keep different things: coarse times, ranges of years.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <filesystem>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"
#include "tests/support/small_disk.h"

namespace hawser::test {
namespace {

// Which node has its store on ext4 with small inodes: whole seconds, from 1901 to 2038.
class CoarseTimesOn : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!SmallDisk::Available()) GTEST_SKIP() << "this user can't mount a disk here";
    auto disk = SmallDisk::Make(disks_ / "image", disks_ / "mount", 32 * kMiB,
                                {"mkfs.ext4", "-q", "-F", "-m", "0", "-I", "128"});
    ASSERT_OK(disk);
    disk_ = *std::move(disk);
    const std::string store = cluster_.Store(GetParam(), "docs");
    std::filesystem::remove(store);
    std::filesystem::create_directory_symlink(disk_->folder(), store);
    ASSERT_OK(cluster_.Start());
  }
  std::string Docs(const std::string& node) const { return cluster_.Mount(node, "docs"); }
  static void SetTime(const std::string& path, time_t seconds) {
    const timespec times[2] = {{seconds, 123'456'789}, {seconds, 123'456'789}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0) << path;
  }
  void ExpectAllAlike() {
    ASSERT_OK(cluster_.WaitForSecondaries());
    EXPECT_EQ(cluster_.StateOf("charlie"), "live");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Docs("alpha"))) {
      const std::string path = entry.path().string().substr(Docs("alpha").size());
      EXPECT_EQ(Read(Docs("alpha") + path), Read(Docs("charlie") + path)) << path;
    }
  }

  TempDir disks_;
  std::unique_ptr<SmallDisk> disk_;  // goes after the processes
  Cluster cluster_;
};

TEST_P(CoarseTimesOn, NobodyIsCalledDivergedForIt) {
  constexpr time_t kIn1850 = -3'786'912'000;
  constexpr time_t kIn2024 = 1'704'067'200;
  constexpr time_t kIn2150 = 5'680'281'600;
  const std::string file = Docs("alpha") + "/file";
  Write(file, "first");
  Write(file, "second");
  std::filesystem::resize_file(file, 3);
  for (const time_t time : {kIn1850, kIn2024, kIn2150}) {
    SetTime(file, time);
    std::filesystem::resize_file(file, 5);
    Write(file, "third");
  }
  ExpectAllAlike();
  // A redo finds the same.
  for (const std::string node : {"charlie", "alpha"}) {
    cluster_.Kill(node);
    ASSERT_OK(cluster_.Start(node));
    Write(file, node);
    ExpectAllAlike();
  }
}

TEST_P(CoarseTimesOn, ACopyThatWasTouchedIsStillFound) {
  const std::string file = Docs("alpha") + "/file";
  Write(file, "first");
  ASSERT_OK(cluster_.WaitForSecondaries());
  SetTime(cluster_.Store("charlie", "docs") + "/file", 1'000'000'000);
  Write(file, "second");
  EXPECT_TRUE(WaitUntil([&] { return cluster_.StateOf("charlie") == "diverged"; }))
      << cluster_.StateOf("charlie");
}

// What the primary's folder had before the first start.
TEST(FilesystemsTest, TheRootsOwnAttributesAreTheVolumesToo) {
  Cluster cluster;
  const std::string root = cluster.Store("alpha", "docs");
  ASSERT_EQ(::setxattr(root.c_str(), "user.colour", "blue", 4, 0), 0);
  const auto acl = RunCommand({"setfacl", "-m", "u:1234:rwx,d:u:1234:rx", root});
  ASSERT_OK(acl);
  ASSERT_EQ(acl->exit, 0) << acl->output;
  ASSERT_EQ(::chmod(root.c_str(), 0751), 0);
  ASSERT_OK(cluster.Start());
  Write(cluster.Mount("alpha", "docs") + "/file", "inherits");
  EXPECT_OK(cluster.CompareAllTrees());
  char value[8];
  EXPECT_EQ(::getxattr(cluster.Store("charlie", "docs").c_str(), "user.colour", value, sizeof value), 4);
}

INSTANTIATE_TEST_SUITE_P(Nodes, CoarseTimesOn, ::testing::Values("alpha", "charlie"),
                         [](const auto& node) { return node.param; });

}  // namespace
}  // namespace hawser::test
