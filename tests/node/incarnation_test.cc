#include "node/incarnation.h"

#include <gtest/gtest.h>

#include <fstream>

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

TEST(Incarnation, AnUnreadableFileIsAnError) {
  test::TempDir folder;
  std::ofstream(folder / "incarnation") << "x";
  EXPECT_FALSE(OwnIncarnation(folder / "incarnation"));
}

}  // namespace
}  // namespace hawser
