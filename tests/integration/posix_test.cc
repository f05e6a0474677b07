// A mount does what a plain directory does, call by call. tests/support/posix.
#include <cstdlib>

#include "common/base/files.h"
#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"
#include "tests/support/other_filesystem.h"
#include "tests/support/posix/runner.h"

namespace hawser::test {
namespace {

TEST(PosixTest, MountDoesWhatAPlainDirectoryDoes) {
  if (geteuid() != 0) GTEST_SKIP() << "the cases change owners and users: needs root";
  Cluster cluster;
  // In memory: tens of thousands of calls one after the other, of which none asks what a flush costs.
  ASSERT_OK(MakeDirectories(cluster.journal()));
  const OtherFilesystem memory(cluster.journal(), "tmpfs", "");
  ASSERT_OK(cluster.Start());
  const TempDir directory;
  const auto cases = posix::AllCases();
  const auto plain = posix::RunCases(cases, directory.path());
  ASSERT_OK(plain);
  const auto mount = posix::RunCases(cases, cluster.Mount("alpha", "docs"));
  ASSERT_OK(mount);
  for (const auto& mismatch : posix::CompareTranscripts(*plain, *mount))
    ADD_FAILURE() << mismatch.name << "\n  plain: " << mismatch.plain << "\n  mount: " << mismatch.mount;
  EXPECT_OK(cluster.CompareAllTrees());
}

}  // namespace
}  // namespace hawser::test
