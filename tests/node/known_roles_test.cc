#include "node/known_roles.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/temp_dir.h"

namespace hawser {
namespace {

TEST(KnownRoles, ComeBackAsWritten) {
  test::TempDir folder;
  EXPECT_TRUE(ReadKnownRoles(folder / "roles")->empty());
  const std::vector<VolumeFact> facts = {{VolumeName("docs"), NodeName("alpha"), Generation(3)},
                                         {VolumeName("mail"), NodeName("bravo"), Generation(1)}};
  ASSERT_TRUE(WriteKnownRoles(folder / "roles", facts));
  const auto read = ReadKnownRoles(folder / "roles");
  ASSERT_TRUE(read) << read.error().Text();
  EXPECT_EQ(*read, facts);
}

TEST(KnownRoles, WhatIsKnownAlreadyIsNotWrittenAgain) {
  test::TempDir folder;
  const auto inode = [&] {
    struct stat info {};
    EXPECT_EQ(::stat((folder / "roles").c_str(), &info), 0);
    return info.st_ino;
  };
  std::vector<VolumeFact> facts = {{VolumeName("docs"), NodeName("alpha"), Generation(3)}};
  ASSERT_TRUE(WriteKnownRoles(folder / "roles", facts));
  const auto first = inode();
  ASSERT_TRUE(WriteKnownRoles(folder / "roles", facts));
  EXPECT_EQ(inode(), first);
  facts.front().generation = Generation(4);
  ASSERT_TRUE(WriteKnownRoles(folder / "roles", facts));
  EXPECT_EQ(*ReadKnownRoles(folder / "roles"), facts);
}

TEST(KnownRoles, GarbageIsAnErrorThatNamesTheFile) {
  test::TempDir folder;
  for (const char* garbage : {"", "[1]", "{\"docs\": 1}", "not json"}) {
    std::ofstream(folder / "roles") << garbage;
    const auto read = ReadKnownRoles(folder / "roles");
    ASSERT_FALSE(read) << garbage;
    EXPECT_NE(read.error().message.find("/roles"), std::string::npos);
  }
}

}  // namespace
}  // namespace hawser
