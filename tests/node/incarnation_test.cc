#include "node/incarnation.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/base/files.h"
#include "tests/support/temp_dir.h"

namespace hawser {
namespace {

TEST(Incarnation, IsMadeOnceAFolder) {
  test::TempDir folder;
  const auto first = OwnIncarnation(folder / "incarnation");
  ASSERT_TRUE(first) << first.error().Text();
  EXPECT_NE(*first, 0U);
  EXPECT_EQ(*OwnIncarnation(folder / "incarnation"), *first);
  EXPECT_NE(*OwnIncarnation(folder / "another"), *first);
}

// The lock of the first proves nothing about who works with the second.
TEST(Incarnation, OfACopiedFolderIsAnother) {
  test::TempDir folder;
  test::TempDir copy;
  const auto first = OwnIncarnation(folder / "incarnation");
  ASSERT_TRUE(first);
  std::filesystem::copy_file(folder / "incarnation", copy / "incarnation");
  const auto second = OwnIncarnation(copy / "incarnation");
  ASSERT_TRUE(second);
  EXPECT_NE(*second, *first);
  EXPECT_EQ(*OwnIncarnation(copy / "incarnation"), *second);
  EXPECT_EQ(*OwnIncarnation(folder / "incarnation"), *first);
}

TEST(Incarnation, OfAMachineThatWasStartedAnewIsAnother) {
  test::TempDir folder;
  const auto first = OwnIncarnation(folder / "incarnation");
  ASSERT_TRUE(first);
  std::string text = *ReadFile(folder / "incarnation");
  text[text.find(' ') + 1] ^= 1;  // of the run of the machine
  ASSERT_TRUE(WriteFileAtomically(folder / "incarnation", text));
  EXPECT_NE(*OwnIncarnation(folder / "incarnation"), *first);
}

TEST(Incarnation, AnUnreadableFileIsAnError) {
  test::TempDir folder;
  std::ofstream(folder / "incarnation") << "x";
  EXPECT_FALSE(OwnIncarnation(folder / "incarnation"));
}

}  // namespace
}  // namespace hawser
