#include "common/record/store_path.h"

#include <gtest/gtest.h>

namespace hawser {
namespace {

StorePath Path(std::string_view text) {
  auto path = StorePath::Parse(text);
  EXPECT_TRUE(path) << text;
  return path ? *path : StorePath();
}

TEST(StorePath, TakesNamesOfAnyBytes) {
  EXPECT_EQ(Path("a/\xff\n b").text(), "a/\xff\n b");
  EXPECT_TRUE(Path("").IsRoot());
  EXPECT_EQ(Path("...").text(), "...");
  EXPECT_TRUE(StorePath::Parse(std::string(255, 'n')));
}

TEST(StorePath, RefusesWhatCouldLeaveTheStoreOrIsNoPath) {
  for (const std::string_view bad : {"/", "/a", "a/", "a//b", "..", "a/..", "../a", "a/../b", ".", "a/./b"})
    EXPECT_FALSE(StorePath::Parse(bad)) << bad;
  EXPECT_FALSE(StorePath::Parse(std::string_view("a\0b", 3)));
  EXPECT_FALSE(StorePath::Parse(std::string(256, 'n')));
}

TEST(StorePath, SplitsAndJoins) {
  EXPECT_EQ(Path("a/b/c").Parent(), Path("a/b"));
  EXPECT_EQ(Path("a").Parent(), StorePath());
  EXPECT_EQ(Path("a/b/c").Name(), "c");
  EXPECT_EQ(StorePath().Child("x"), Path("x"));
  EXPECT_EQ(Path("a").Child("x"), Path("a/x"));
  EXPECT_EQ(Path("a/b").Components(), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_TRUE(StorePath().Components().empty());
}

TEST(StorePath, KnowsWhatLiesBelow) {
  EXPECT_TRUE(Path("a/b").IsAtOrBelow(Path("a")));
  EXPECT_TRUE(Path("a").IsAtOrBelow(Path("a")));
  EXPECT_TRUE(Path("a").IsAtOrBelow(StorePath()));
  EXPECT_FALSE(Path("ab").IsAtOrBelow(Path("a")));
  EXPECT_FALSE(Path("a").IsAtOrBelow(Path("a/b")));
}

TEST(StorePath, ShowsUnprintableBytesEscaped) { EXPECT_EQ(Path("a\nb").Printable(), "a\\x0ab"); }

}  // namespace
}  // namespace hawser
