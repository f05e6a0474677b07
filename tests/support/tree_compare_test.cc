#include "tests/support/tree_compare.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/temp_dir.h"

namespace hawser::test {
namespace {

using ::testing::AllOf;
using ::testing::Field;

// Two trees with the same content; each test spoils one of them.
class TreeCompareTest : public ::testing::Test {
 protected:
  TreeCompareTest() {
    for (const std::string& tree : {left_, right_}) {
      mkdir(tree.c_str(), 0755);
      mkdir((tree + "/folder").c_str(), 0755);
      std::ofstream(tree + "/folder/file") << "some content";
      EXPECT_EQ(link((tree + "/folder/file").c_str(), (tree + "/other name").c_str()), 0);
      std::ofstream(tree + "/copy") << "some content";
      EXPECT_EQ(symlink("folder/file", (tree + "/symlink").c_str()), 0);
      EXPECT_EQ(mkfifo((tree + "/fifo").c_str(), 0600), 0);
      EXPECT_EQ(setxattr((tree + "/copy").c_str(), "user.colour", "red", 3, 0), 0);
    }
    SameTimes();
  }

  void SameTimes() {
    for (const std::string& tree : {left_, right_}) {
      for (const char* name : {"/folder/file", "/copy", "/symlink", "/fifo", "/folder", ""}) {
        const timespec times[2] = {{1000, 1}, {1000, 1}};
        utimensat(AT_FDCWD, (tree + name).c_str(), times, AT_SYMLINK_NOFOLLOW);
      }
    }
  }

  CompareReport Compare() {
    auto report = CompareTrees(left_, right_);
    EXPECT_TRUE(report) << report.error().Text();
    return report ? *report : CompareReport();
  }

  void ExpectOneDifference(const std::string& path, const std::string& what) {
    const CompareReport report = Compare();
    EXPECT_THAT(report.differences,
                ::testing::ElementsAre(AllOf(Field(&Difference::path, path), Field(&Difference::what, what))))
        << report.Text();
  }

  TempDir temp_;
  std::string left_ = temp_ / "left";
  std::string right_ = temp_ / "right";
};

TEST_F(TreeCompareTest, EqualTreesAreEqual) {
  const CompareReport report = Compare();
  EXPECT_TRUE(report.equal()) << report.Text();
  EXPECT_EQ(report.entries, 7u);
}

TEST_F(TreeCompareTest, MissingNameIsFound) {
  unlink((right_ + "/fifo").c_str());
  SameTimes();
  ExpectOneDifference("fifo", "name");
}

TEST_F(TreeCompareTest, OneByteOfContentIsFound) {
  std::ofstream(right_ + "/copy") << "some c0ntent";
  SameTimes();
  ExpectOneDifference("copy", "content at 6");
}

TEST_F(TreeCompareTest, ModeIsFound) {
  chmod((right_ + "/folder").c_str(), 02755);
  ExpectOneDifference("folder", "mode");
}

TEST_F(TreeCompareTest, RootModeIsFound) {
  chmod(right_.c_str(), 0700);
  ExpectOneDifference(".", "mode");
}

TEST_F(TreeCompareTest, OneNanosecondOfMtimeIsFound) {
  const timespec times[2] = {{1000, 1}, {1000, 2}};
  utimensat(AT_FDCWD, (right_ + "/fifo").c_str(), times, 0);
  ExpectOneDifference("fifo", "mtime");
}

TEST_F(TreeCompareTest, LinkTargetIsFound) {
  unlink((right_ + "/symlink").c_str());
  EXPECT_EQ(symlink("folder/fil3", (right_ + "/symlink").c_str()), 0);
  SameTimes();
  ExpectOneDifference("symlink", "link target");
}

TEST_F(TreeCompareTest, CopyInPlaceOfHardLinkIsFound) {
  unlink((right_ + "/other name").c_str());
  std::ofstream(right_ + "/other name") << "some content";
  const timespec times[2] = {{1000, 1}, {1000, 1}};
  utimensat(AT_FDCWD, (right_ + "/other name").c_str(), times, 0);
  SameTimes();
  const CompareReport report = Compare();
  EXPECT_THAT(report.differences, ::testing::Contains(Field(&Difference::what, "hard link to")))
      << report.Text();
}

TEST_F(TreeCompareTest, HardLinkToAnotherFileIsFound) {
  unlink((left_ + "/other name").c_str());
  unlink((right_ + "/other name").c_str());
  EXPECT_EQ(link((left_ + "/folder/file").c_str(), (left_ + "/z").c_str()), 0);
  EXPECT_EQ(link((left_ + "/copy").c_str(), (left_ + "/y").c_str()), 0);
  EXPECT_EQ(link((right_ + "/folder/file").c_str(), (right_ + "/y").c_str()), 0);
  EXPECT_EQ(link((right_ + "/copy").c_str(), (right_ + "/z").c_str()), 0);
  SameTimes();
  const CompareReport report = Compare();
  EXPECT_THAT(report.differences, ::testing::Contains(Field(&Difference::what, "hard link to")))
      << report.Text();
}

TEST_F(TreeCompareTest, XattrValueIsFound) {
  setxattr((right_ + "/copy").c_str(), "user.colour", "blue", 4, 0);
  ExpectOneDifference("copy", "xattr user.colour");
}

TEST_F(TreeCompareTest, XattrsOfStoresAreLeftOut) {
  setxattr((right_ + "/copy").c_str(), "user.hawser.id", "12345678", 8, 0);
  EXPECT_TRUE(Compare().equal());
}

TEST_F(TreeCompareTest, TypeIsFound) {
  unlink((right_ + "/fifo").c_str());
  mkdir((right_ + "/fifo").c_str(), 0600);
  SameTimes();
  ExpectOneDifference("fifo", "type");
}

TEST_F(TreeCompareTest, BytesInNamesAreEscaped) {
  std::ofstream(left_ + "/a\xff\n\\b") << "x";
  SameTimes();
  ExpectOneDifference("a\xff\n\\b", "name");
  EXPECT_EQ(Compare().Text(), "a\\xff\\x0a\\\\b: name: is there | missing\n");
}

TEST_F(TreeCompareTest, MissingTreeIsAnError) {
  const auto report = CompareTrees(left_, temp_ / "nowhere");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ENOENT);
}

}  // namespace
}  // namespace hawser::test
