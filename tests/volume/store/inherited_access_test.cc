#include "volume/store/inherited_access.h"

#include <gtest/gtest.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cstring>
#include <optional>

#include "tests/support/temp_dir.h"
#include "volume/store/acl_names.h"

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
    entry.e_id = tag == ACL_USER ? 1234 : static_cast<std::uint32_t>(ACL_UNDEFINED_ID);
    std::memcpy(&bytes[at], &entry, sizeof entry);
    at += sizeof entry;
  }
  return bytes;
}

std::optional<std::string> Xattr(const std::string& path, const char* name) {
  char value[4096];
  const ssize_t size = ::getxattr(path.c_str(), name, value, sizeof value);
  if (size < 0) return std::nullopt;
  return std::string(value, static_cast<std::size_t>(size));
}

TEST(InheritAccess, WithoutADefaultAclTheUmaskCounts) {
  const auto access = InheritAccess(0666, 0027, {}, true);
  EXPECT_EQ(access.mode, 0640U);
  EXPECT_FALSE(access.access_acl || access.default_acl);
}

TEST(InheritAccess, WithADefaultAclItCountsAndTheUmaskDoesNot) {
  const Buffer acl = Acl({{ACL_USER_OBJ, 6}, {ACL_GROUP_OBJ, 4}, {ACL_OTHER, 0}});
  const auto access = InheritAccess(0777, 0077, acl, false);
  EXPECT_EQ(access.mode, 0640U);
  EXPECT_FALSE(access.access_acl);  // the mode says all of it
}

TEST(InheritAccess, TheMaskLimitsTheGroupBits) {
  const Buffer acl =
      Acl({{ACL_USER_OBJ, 7}, {ACL_USER, 7}, {ACL_GROUP_OBJ, 7}, {ACL_MASK, 5}, {ACL_OTHER, 5}});
  const auto access = InheritAccess(0742, 0, acl, false);
  EXPECT_EQ(access.mode, 0740U);
  EXPECT_EQ(
      access.access_acl,
      AsText(Acl({{ACL_USER_OBJ, 7}, {ACL_USER, 7}, {ACL_GROUP_OBJ, 7}, {ACL_MASK, 4}, {ACL_OTHER, 0}})));
  EXPECT_FALSE(access.default_acl);
}

TEST(InheritAccess, DirectoriesPassItOn) {
  const Buffer acl = Acl({{ACL_USER_OBJ, 6}, {ACL_GROUP_OBJ, 4}, {ACL_OTHER, 0}});
  EXPECT_EQ(InheritAccess(0777, 0, acl, true).default_acl, AsText(acl));
}

TEST(InheritAccess, SetuidAndStickyStay) { EXPECT_EQ(InheritAccess(05755, 0022, {}, false).mode, 05755U); }

// As the filesystem does it, for each mode that can be asked for.
TEST(InheritAccess, IsWhatTheFilesystemMakesOfIt) {
  test::TempDir temp;
  const std::string folder = temp / "folder";
  ASSERT_EQ(::mkdir(folder.c_str(), 0755), 0);
  for (const Buffer& acl :
       {Acl({{ACL_USER_OBJ, 7}, {ACL_GROUP_OBJ, 5}, {ACL_OTHER, 4}}),
        Acl({{ACL_USER_OBJ, 6}, {ACL_USER, 7}, {ACL_GROUP_OBJ, 7}, {ACL_MASK, 3}, {ACL_OTHER, 1}})}) {
    ASSERT_EQ(::setxattr(folder.c_str(), kDefaultAcl, acl.data(), acl.size(), 0), 0);
    EXPECT_EQ(*ReadDefaultAcl(folder), acl);
    for (mode_t mode = 0; mode <= 0777; ++mode) {
      const std::string node = folder + "/node";
      ASSERT_EQ(::mkdir(node.c_str(), mode), 0);
      const auto access = InheritAccess(mode, 0777, acl, true);
      struct stat info {};
      ASSERT_EQ(::stat(node.c_str(), &info), 0);
      EXPECT_EQ(info.st_mode & 0777, access.mode) << mode;
      EXPECT_EQ(Xattr(node, kAccessAcl), access.access_acl) << mode;
      EXPECT_EQ(Xattr(node, kDefaultAcl), access.default_acl) << mode;
      ASSERT_EQ(::rmdir(node.c_str()), 0);
    }
  }
}

}  // namespace
}  // namespace hawser
