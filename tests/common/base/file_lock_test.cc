#include "common/base/file_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/files.h"
#include "tests/support/ok.h"
#include "tests/support/temp_dir.h"

namespace hawser::test {
namespace {

TEST(FileLockTest, HolderIsTheProcessThatTookIt) {
  const TempDir folder;
  const std::string path = folder / "lock";
  EXPECT_EQ(LockHolder(path), std::nullopt);
  auto file = OpenFile(path, O_RDWR | O_CREAT);
  ASSERT_OK(file);
  EXPECT_EQ(LockHolder(path), std::nullopt);
  ASSERT_EQ(flock(file->get(), LOCK_EX), 0);
  EXPECT_EQ(LockHolder(path), getpid());
  ASSERT_EQ(flock(file->get(), LOCK_UN), 0);
  EXPECT_EQ(LockHolder(path), std::nullopt);
}

}  // namespace
}  // namespace hawser::test
