#include "volume/mount/privileges.h"

#include <gtest/gtest.h>

namespace hawser {
namespace {

constexpr uid_t kUser = 1000;
const InGroup kInside = [](gid_t) { return true; };
const InGroup kOutside = [](gid_t) { return false; };

struct stat File(mode_t mode) {
  struct stat info {};
  info.st_mode = mode;
  return info;
}

TEST(ModeAfterChange, AUserTakesSetuidAndSetgidAway) {
  EXPECT_EQ(ModeAfterChange(File(S_IFREG | 06755), kUser, kInside), 0755U);
}

TEST(ModeAfterChange, RootTakesNothingAway) {
  EXPECT_EQ(ModeAfterChange(File(S_IFREG | 06755), 0, kOutside), std::nullopt);
}

TEST(ModeAfterChange, SetgidWithoutGroupExecuteStaysForMembersOfTheGroup) {
  EXPECT_EQ(ModeAfterChange(File(S_IFREG | 02644), kUser, kInside), std::nullopt);
  EXPECT_EQ(ModeAfterChange(File(S_IFREG | 02644), kUser, kOutside), 0644U);
}

TEST(ModeAfterChown, RootTakesThemAwayToo) {
  EXPECT_EQ(ModeAfterChown(File(S_IFREG | 06755), 0, kOutside), 0755U);
  EXPECT_EQ(ModeAfterChown(File(S_IFREG | 02644), 0, kOutside), std::nullopt);
}

TEST(ModeAfterChown, DirectoriesKeepThem) {
  EXPECT_EQ(ModeAfterChown(File(S_IFDIR | 06755), kUser, kOutside), std::nullopt);
}

}  // namespace
}  // namespace hawser
