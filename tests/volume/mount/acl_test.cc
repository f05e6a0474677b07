#include "volume/mount/acl.h"

#include <gtest/gtest.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include <cstring>

namespace hawser {
namespace {

Buffer Acl(const std::vector<std::pair<int, int>>& entries) {
  Buffer bytes(sizeof(posix_acl_xattr_header) + entries.size() * sizeof(posix_acl_xattr_entry));
  posix_acl_xattr_header header{};
  header.a_version = POSIX_ACL_XATTR_VERSION;
  std::memcpy(bytes.data(), &header, sizeof header);
  std::size_t at = sizeof header;
  for (const auto& [tag, permissions] : entries) {
    posix_acl_xattr_entry entry{};
    entry.e_tag = static_cast<std::uint16_t>(tag);
    entry.e_perm = static_cast<std::uint16_t>(permissions);
    std::memcpy(&bytes[at], &entry, sizeof entry);
    at += sizeof entry;
  }
  return bytes;
}

TEST(NewNodeMode, WithoutADefaultAclTheUmaskCounts) { EXPECT_EQ(NewNodeMode(0666, 0027, {}), 0640U); }

TEST(NewNodeMode, WithADefaultAclItCountsAndTheUmaskDoesNot) {
  const Buffer acl = Acl({{ACL_USER_OBJ, 6}, {ACL_GROUP_OBJ, 4}, {ACL_OTHER, 0}});
  EXPECT_EQ(NewNodeMode(0777, 0077, acl), 0640U);
}

TEST(NewNodeMode, TheMaskLimitsTheGroupBits) {
  const Buffer acl =
      Acl({{ACL_USER_OBJ, 7}, {ACL_GROUP_OBJ, 7}, {ACL_USER, 7}, {ACL_MASK, 5}, {ACL_OTHER, 5}});
  EXPECT_EQ(NewNodeMode(0777, 0, acl), 0755U);
}

TEST(NewNodeMode, SetuidAndStickyStay) { EXPECT_EQ(NewNodeMode(05755, 0022, {}), 05755U); }

}  // namespace
}  // namespace hawser
