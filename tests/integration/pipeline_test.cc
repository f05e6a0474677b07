// From a call in a primary's mount to the same tree behind a secondary's.
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

class PipelineTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(cluster_.Start()); }

  std::string Docs(const std::string& name) const { return cluster_.Mount("alpha", "docs") + "/" + name; }
  std::string Mail(const std::string& name) const { return cluster_.Mount("bravo", "mail") + "/" + name; }
  std::string DocsCopy(const std::string& name) const {
    return cluster_.Mount("charlie", "docs") + "/" + name;
  }

  Cluster cluster_;
};

TEST_F(PipelineTest, FileAppearsBehindTheSecondary) {
  Write(Docs("hello"), "a first file");
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_EQ(Read(DocsCopy("hello")), "a first file");
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(PipelineTest, EveryKindOfCallIsCarried) {
  ASSERT_SYSCALL(mkdir(Docs("folder").c_str(), 0750));
  Write(Docs("folder/file"), std::string(100'000, 'x'));
  Append(Docs("folder/file"), "the end");
  ASSERT_SYSCALL(truncate(Docs("folder/file").c_str(), 60'000));
  {
    const UniqueFd fd(open(Docs("folder/file").c_str(), O_RDWR));
    ASSERT_SYSCALL(fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 8192));
    ASSERT_SYSCALL(fallocate(fd.get(), 0, 60'000, 40'000));
    ASSERT_SYSCALL(fsync(fd.get()));
  }
  ASSERT_SYSCALL(link(Docs("folder/file").c_str(), Docs("second name").c_str()));
  ASSERT_SYSCALL(symlink("folder/file", Docs("symlink").c_str()));
  ASSERT_SYSCALL(mkfifo(Docs("fifo").c_str(), 0600));
  ASSERT_SYSCALL(chmod(Docs("folder/file").c_str(), 0640));
  const timespec times[2] = {{1000, 1}, {2000, 2}};
  ASSERT_SYSCALL(utimensat(AT_FDCWD, Docs("symlink").c_str(), times, AT_SYMLINK_NOFOLLOW));
  ASSERT_SYSCALL(setxattr(Docs("folder").c_str(), "user.colour", "red", 3, 0));
  ASSERT_SYSCALL(setxattr(Docs("folder").c_str(), "user.gone", "x", 1, 0));
  ASSERT_SYSCALL(removexattr(Docs("folder").c_str(), "user.gone"));
  Write(Docs("a"), "a");
  Write(Docs("b"), "b");
  ASSERT_SYSCALL(renameat2(AT_FDCWD, Docs("a").c_str(), AT_FDCWD, Docs("b").c_str(), RENAME_EXCHANGE));
  ASSERT_SYSCALL(rename(Docs("folder").c_str(), Docs("renamed").c_str()));
  ASSERT_SYSCALL(unlink(Docs("b").c_str()));
  ASSERT_SYSCALL(mkdir(Docs("short").c_str(), 0700));
  ASSERT_SYSCALL(rmdir(Docs("short").c_str()));
  EXPECT_OK(cluster_.CompareAllTrees());
  EXPECT_EQ(Read(DocsCopy("a")), "b");
}

TEST_F(PipelineTest, TwoPrimariesShareOneOrder) {
  for (int i = 0; i < 100; ++i) {
    Write(Docs(std::to_string(i)), "docs " + std::to_string(i));
    Write(Mail(std::to_string(i)), "mail " + std::to_string(i));
  }
  EXPECT_OK(cluster_.CompareAllTrees());
  const auto status = cluster_.GetStatus();
  ASSERT_OK(status);
  EXPECT_GE(status->at("relay").at("head").get<std::uint64_t>(), 400u) << status->dump(2);
}

TEST_F(PipelineTest, StatusSaysWhoIsWhoAndThatNothingIsBehind) {
  Write(Docs("hello"), "a first file");
  ASSERT_OK(cluster_.WaitForSecondaries());
  const auto status = cluster_.GetStatus();
  ASSERT_OK(status);
  EXPECT_EQ(status->at("group"), "test");
  EXPECT_EQ(status->at("volumes").at("docs").at("primary"), "alpha") << status->dump(2);
  EXPECT_EQ(status->at("volumes").at("mail").at("primary"), "bravo") << status->dump(2);
  EXPECT_EQ(cluster_.StateOf("charlie"), "live") << status->dump(2);
  EXPECT_EQ(status->at("nodes").at("charlie").at("lag").at("records"), 0) << status->dump(2);
}

TEST_F(PipelineTest, SecondaryRefusesChanges) {
  Write(Docs("there"), "content");
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_EQ(ErrnoOfWriting(DocsCopy("new")), EROFS);
  const auto expect_refused = [](long result, const char* what) {
    EXPECT_EQ(result, -1) << what;
    EXPECT_EQ(errno, EROFS) << what << ": " << strerrordesc_np(errno);
  };
  expect_refused(open(DocsCopy("there").c_str(), O_WRONLY), "open for writing");
  expect_refused(truncate(DocsCopy("there").c_str(), 0), "truncate");
  expect_refused(unlink(DocsCopy("there").c_str()), "unlink");
  expect_refused(mkdir(DocsCopy("folder").c_str(), 0755), "mkdir");
  expect_refused(rename(DocsCopy("there").c_str(), DocsCopy("x").c_str()), "rename");
  expect_refused(link(DocsCopy("there").c_str(), DocsCopy("x").c_str()), "link");
  expect_refused(symlink("x", DocsCopy("x").c_str()), "symlink");
  expect_refused(chmod(DocsCopy("there").c_str(), 0600), "chmod");
  expect_refused(utimensat(AT_FDCWD, DocsCopy("there").c_str(), nullptr, 0), "utimensat");
  expect_refused(setxattr(DocsCopy("there").c_str(), "user.a", "x", 1, 0), "setxattr");
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(PipelineTest, ChangedFileIsSeenAnewBehindTheSecondary) {
  for (int i = 0; i < 20; ++i) {
    const std::string content = "version " + std::to_string(i);
    Write(Docs("file"), content);
    ASSERT_OK(cluster_.WaitForSecondaries());
    ASSERT_EQ(Read(DocsCopy("file")), content);
    struct stat info {};
    ASSERT_SYSCALL(stat(DocsCopy("file").c_str(), &info));
    ASSERT_EQ(info.st_size, static_cast<off_t>(content.size()));
  }
}

TEST_F(PipelineTest, NameThatIsGoneIsGoneBehindTheSecondary) {
  Write(Docs("file"), "x");
  ASSERT_OK(cluster_.WaitForSecondaries());
  ASSERT_TRUE(Exists(DocsCopy("file")));
  ASSERT_SYSCALL(rename(Docs("file").c_str(), Docs("other").c_str()));
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_FALSE(Exists(DocsCopy("file")));
  EXPECT_TRUE(Exists(DocsCopy("other")));
  ASSERT_SYSCALL(unlink(Docs("other").c_str()));
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_FALSE(Exists(DocsCopy("other")));
}

TEST_F(PipelineTest, JournalIsReadableWithNothingRunning) {
  Write(Docs("file"), "content");
  ASSERT_OK(cluster_.StopAll());
  const auto check = cluster_.Hawser({"journal", "check"});
  ASSERT_OK(check);
  EXPECT_EQ(check->exit, 0) << check->output;
  const auto list = cluster_.Hawser({"journal", "list"});
  ASSERT_OK(list);
  EXPECT_EQ(list->exit, 0) << list->output;
}

}  // namespace
}  // namespace hawser::test
