// What cannot be started says why, in one message, and starts nothing.
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"
#include "tests/support/other_filesystem.h"

namespace hawser::test {
namespace {

class StartErrorsTest : public ::testing::Test {
 protected:
  // alpha must refuse to start with this exit code and all of these words in its message.
  void ExpectRefused(int exit, const std::vector<std::string>& words) {
    const auto result = cluster_.Hawser({"mount", "alpha"});
    ASSERT_OK(result);
    EXPECT_EQ(result->exit, exit) << result->output;
    for (const std::string& word : words)
      EXPECT_NE(result->output.find(word), std::string::npos) << result->output;
  }

  // Changes the config by text.
  void Replace(const std::string& from, const std::string& to) {
    std::string yaml = Read(cluster_.config());
    const std::size_t at = yaml.find(from);
    ASSERT_NE(at, std::string::npos) << "not in the config: " << from;
    Write(cluster_.config(), yaml.replace(at, from.size(), to));
  }

  Cluster cluster_;
};

TEST_F(StartErrorsTest, StoreThatHasFilesWithoutIdsIsRefused) {
  ASSERT_OK(cluster_.Start("relay"));
  Write(cluster_.Store("alpha", "docs") + "/old file", "was here before");
  ExpectRefused(3, {cluster_.Store("alpha", "docs"), "copy them in through the mount; 'hawser check"});
  EXPECT_EQ(Read(cluster_.Store("alpha", "docs") + "/old file"), "was here before");
}

TEST_F(StartErrorsTest, StoreAndMountThatAreTheSameAreRefused) {
  Replace(cluster_.Mount("alpha", "docs"), cluster_.Store("alpha", "docs"));
  ExpectRefused(2, {cluster_.Store("alpha", "docs")});
}

TEST_F(StartErrorsTest, MountInsideTheStoreIsRefused) {
  Replace(cluster_.Mount("alpha", "docs"), cluster_.Store("alpha", "docs") + "/inside");
  ExpectRefused(2, {cluster_.Store("alpha", "docs")});
}

TEST_F(StartErrorsTest, MissingMountFolderIsNamed) {
  ASSERT_OK(cluster_.Start("relay"));
  ASSERT_SYSCALL(rmdir(cluster_.Mount("alpha", "docs").c_str()));
  ExpectRefused(3, {cluster_.Mount("alpha", "docs"), "'hawser init --node alpha -c ", "makes the folders"});
}

TEST_F(StartErrorsTest, MountFolderWithFilesInItIsRefusedUnlessTheConfigAllowsIt) {
  const std::string mount = cluster_.Mount("alpha", "docs");
  const std::string hidden = mount + "/notes of somebody";
  Write(hidden, "not in the volume");
  ASSERT_OK(cluster_.Start("relay"));
  ExpectRefused(3, {mount, "not empty", "nonempty: true"});
  const auto check = cluster_.Hawser({"check"});
  ASSERT_OK(check);
  EXPECT_EQ(check->exit, 1) << check->output;
  EXPECT_NE(check->output.find("nonempty: true"), std::string::npos) << check->output;
  Replace("mount: " + mount, "mount: " + mount + ", nonempty: true");
  ASSERT_OK(cluster_.Start("alpha"));
  EXPECT_FALSE(Exists(hidden));
  ASSERT_OK(cluster_.Stop("alpha"));
  EXPECT_EQ(Read(hidden), "not in the volume");
}

TEST_F(StartErrorsTest, MissingStoreIsNamed) {
  ASSERT_OK(cluster_.Start("relay"));
  ASSERT_SYSCALL(rmdir(cluster_.Store("alpha", "docs").c_str()));
  ExpectRefused(3, {cluster_.Store("alpha", "docs")});
}

TEST_F(StartErrorsTest, StoreThatIsAFileIsNamed) {
  ASSERT_OK(cluster_.Start("relay"));
  ASSERT_SYSCALL(rmdir(cluster_.Store("alpha", "docs").c_str()));
  Write(cluster_.Store("alpha", "docs"), "not a folder");
  ExpectRefused(3, {cluster_.Store("alpha", "docs")});
}

TEST_F(StartErrorsTest, UnknownKeyNamesLineAndNearestKey) {
  Replace("primary: alpha", "primry: alpha");
  ExpectRefused(2, {"primry", "primary", "hawser.yaml:"});
}

TEST_F(StartErrorsTest, UnknownNodeNamesThoseThatAre) {
  const auto result = cluster_.Hawser({"mount", "alfa"});
  ASSERT_OK(result);
  EXPECT_EQ(result->exit, 2) << result->output;
  EXPECT_NE(result->output.find("alpha"), std::string::npos) << result->output;
}

TEST_F(StartErrorsTest, SecondRelayOnTheSameJournalIsRefused) {
  ASSERT_OK(cluster_.Start("relay"));
  const auto result = cluster_.Hawser({"relay"});
  ASSERT_OK(result);
  EXPECT_EQ(result->exit, 3) << result->output;
  EXPECT_TRUE(cluster_.Running("relay").running());
}

TEST_F(StartErrorsTest, SecondStartOfARunningNodeIsRefusedAndTheFirstGoesOn) {
  ASSERT_OK(cluster_.Start());
  const auto result = cluster_.Hawser({"mount", "alpha"});
  ASSERT_OK(result);
  EXPECT_EQ(result->exit, 3) << result->output;
  Write(cluster_.Mount("alpha", "docs") + "/file", "still works");
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(StartErrorsTest, StatusWithoutRelaySaysSo) {
  const auto result = cluster_.Hawser({"status"});
  ASSERT_OK(result);
  EXPECT_EQ(result->exit, 3) << result->output;
}

TEST_F(StartErrorsTest, CheckFindsWhatIsMissing) {
  const auto good = cluster_.Hawser({"check"});
  ASSERT_OK(good);
  EXPECT_EQ(good->exit, 0) << good->output;
  ASSERT_SYSCALL(rmdir(cluster_.Store("alpha", "docs").c_str()));
  const auto bad = cluster_.Hawser({"check"});
  ASSERT_OK(bad);
  EXPECT_NE(bad->exit, 0) << bad->output;
  EXPECT_NE(bad->output.find(cluster_.Store("alpha", "docs")), std::string::npos) << bad->output;
}

TEST_F(StartErrorsTest, StoreWithoutUserXattrsIsRefusedWithTheReason) {
  // ramfs has no xattrs at all.
  const OtherFilesystem ramfs(cluster_.Store("alpha", "docs"), "ramfs", "");
  if (!ramfs.mounted()) GTEST_SKIP() << "cannot mount a ramfs here: " << strerrordesc_np(errno);
  ASSERT_OK(cluster_.Start("relay"));
  ExpectRefused(3, {cluster_.Store("alpha", "docs"), "xattr"});
}

TEST_F(StartErrorsTest, ReadOnlyStoreIsRefused) {
  const OtherFilesystem readonly(cluster_.Store("alpha", "docs"), "tmpfs", "ro");
  if (!readonly.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here: " << strerrordesc_np(errno);
  ASSERT_OK(cluster_.Start("relay"));
  ExpectRefused(3, {cluster_.Store("alpha", "docs")});
}

// A start says first that the store may be ahead of its checkpoint from now on.
TEST_F(StartErrorsTest, FullStateFolderIsNamedAndTheNodeStartsOnceThereIsRoom) {
  std::filesystem::create_directories(cluster_.State("alpha"));
  const OtherFilesystem small(cluster_.State("alpha"), "tmpfs", "size=200k");
  if (!small.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here: " << strerrordesc_np(errno);
  ASSERT_OK(cluster_.Start("relay"));
  ASSERT_OK(cluster_.Start("alpha"));
  Write(cluster_.Mount("alpha", "docs") + "/file", "content");
  ASSERT_OK(cluster_.Stop("alpha"));

  const std::string filler = cluster_.State("alpha") + "/filler";
  std::ofstream(filler) << std::string(1 << 20, 'x');
  ExpectRefused(3, {cluster_.State("alpha"), "No space left on device", "make room there"});
  std::filesystem::remove(filler);
  ASSERT_OK(cluster_.Start("alpha"));
  EXPECT_EQ(Read(cluster_.Mount("alpha", "docs") + "/file"), "content");
  ASSERT_OK(cluster_.Stop("alpha"));
}

TEST_F(StartErrorsTest, StoreOfAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  ASSERT_OK(cluster_.Start("relay"));
  const std::string program = std::filesystem::canonical(HAWSER_PROGRAM);
  ASSERT_SYSCALL(chmod(cluster_.Store("alpha", "docs").c_str(), 0700));
  const auto result = RunCommand({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program,
                                  "mount", "alpha", "-c", cluster_.config()});
  ASSERT_OK(result);
  EXPECT_NE(result->exit, 0) << result->output;
}

}  // namespace
}  // namespace hawser::test
