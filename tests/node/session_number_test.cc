#include "node/session_number.h"

#include <gtest/gtest.h>

#include <fstream>

#include "common/base/clock.h"
#include "tests/support/temp_dir.h"

namespace hawser {
namespace {

TEST(SessionNumber, AlwaysGrowsAlsoWhenTheClockWasSetBack) {
  test::TempDir folder;
  const auto first = NextSessionNumber(folder / "session");
  const auto second = NextSessionNumber(folder / "session");
  ASSERT_TRUE(first && second);
  EXPECT_GT(*second, *first);

  const std::uint64_t future = static_cast<std::uint64_t>(Now().nanoseconds) + 1'000'000'000'000;
  std::ofstream(folder / "session") << future;
  EXPECT_EQ(*NextSessionNumber(folder / "session"), future + 1);
}

TEST(SessionNumber, AnUnreadableFileIsAnError) {
  test::TempDir folder;
  std::ofstream(folder / "session") << "x";
  EXPECT_FALSE(NextSessionNumber(folder / "session"));
}

}  // namespace
}  // namespace hawser
