// Everything run by an ordinary user, with mounts made through fusermount3. Root cannot look into such a
// mount, so what is done in it is done by the same user.
#include <pwd.h>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"
#include "tests/support/tree_compare.h"

namespace hawser::test {
namespace {

// A user that every Debian has; fusermount3 wants one with a name.
constexpr const char* kUser = "games";

std::vector<std::string> AsUser() {
  return {"setpriv", std::string("--reuid=") + kUser, std::string("--regid=") + kUser, "--clear-groups"};
}

class RootlessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
    if (getpwnam(kUser) == nullptr) GTEST_SKIP() << "there is no user " << kUser;
    const auto may_mount = Run("test -r /dev/fuse -a -w /dev/fuse");
    ASSERT_OK(may_mount);
    if (may_mount->exit != 0) GTEST_SKIP() << "ordinary users may not open /dev/fuse here";
    ASSERT_OK(RunSuccessfully({"chown", "-R", kUser, cluster_.folder()}));
    ASSERT_OK(cluster_.Start());
  }

  static Result<CommandResult> Run(const std::string& script) {
    auto command = AsUser();
    command.insert(command.end(), {"sh", "-ec", script});
    return RunCommand(command);
  }

  void InMount(const std::string& script) {
    const auto result = Run("cd " + cluster_.Mount("alpha", "docs") + "; export HOME=$PWD; " + script);
    ASSERT_OK(result);
    EXPECT_EQ(result->exit, 0) << result->output;
  }

  void KillAndStartBoth() {
    for (const char* node : {"alpha", "charlie"}) {
      cluster_.Kill(node);
      ASSERT_OK(cluster_.Start(node));
    }
  }

  void ExpectEqualStores() {
    ASSERT_OK(cluster_.WaitForSecondaries());
    const auto report = CompareTrees(cluster_.Store("alpha", "docs"), cluster_.Store("charlie", "docs"));
    ASSERT_OK(report);
    EXPECT_TRUE(report->equal()) << report->Text();
  }

  Cluster cluster_{{.volume_keys = {}, .relay_keys = {}, .replica_keys = {}, .prefix = AsUser()}};
};

TEST_F(RootlessTest, OrdinaryWorkIsCarried) {
  InMount(
      "mkdir folder; echo content > folder/file; ln folder/file link; ln -s folder symlink; mv folder/file "
      "moved");
  ExpectEqualStores();
}

TEST_F(RootlessTest, FileCreatedReadOnlyIsWritableByItsCreator) {
  InMount(
      "umask 777; echo content > none; umask 333; echo content > read-only; chmod 600 none; cat none "
      "read-only");
  InMount("rm -f read-only");
  ExpectEqualStores();
}

TEST_F(RootlessTest, FileWithoutPermissionsCanBeChangedByItsOwner) {
  InMount(
      "echo content > file; chmod 0 file; touch -d @1000 file; ln file link; mv file other; chmod 600 link; "
      "cat other");
  InMount(
      "mkdir closed; touch closed/file; chmod 500 closed; touch -d @1000 closed; chmod 700 closed; rm -r "
      "closed");
  ExpectEqualStores();
}

// Who has a file open may go on with it, whatever becomes of the folder.
TEST_F(RootlessTest, FileBelowAFolderWithoutPermissionsIsWrittenByItsDescriptor) {
  InMount(
      "mkdir -p shut/inner; exec 3>shut/inner/file; echo one >&3; chmod 0 shut/inner shut; echo two >&3; "
      "exec 3>&-");
  ExpectEqualStores();
  ASSERT_NO_FATAL_FAILURE(KillAndStartBoth());
  InMount("chmod 700 shut shut/inner; cat shut/inner/file; echo three >> shut/inner/file");
  ExpectEqualStores();
}

TEST_F(RootlessTest, FolderThatWasClosedSinceIsRedone) {
  InMount(
      "mkdir -p shut/inner; echo one > shut/inner/a; mv shut/inner/a shut/inner/b; mkdir shut/other; "
      "mv shut/inner shut/other; rm shut/other/inner/b; echo two > shut/other/inner/c; chmod 500 "
      "shut/other/inner; "
      "chmod 0 shut/other; chmod 500 shut");
  ExpectEqualStores();
  ASSERT_NO_FATAL_FAILURE(KillAndStartBoth());
  InMount("chmod 700 shut shut/other; cat shut/other/inner/c; chmod 700 shut/other/inner; rm -r shut");
  ExpectEqualStores();
}

// The caller is in a group that the process isn't in: the store would refuse what is journaled.
TEST_F(RootlessTest, GroupThatTheProcessMayNotGiveIsRefusedAndTheVolumeGoesOn) {
  InMount("echo content > file");
  const auto refused =
      RunCommand({"setpriv", std::string("--reuid=") + kUser, std::string("--regid=") + kUser,
                  "--groups=users", "chgrp", "users", cluster_.Mount("alpha", "docs") + "/file"});
  ASSERT_OK(refused);
  EXPECT_NE(refused->exit, 0);
  EXPECT_NE(refused->output.find("not permitted"), std::string::npos) << refused->output;
  InMount("echo more >> file; chmod 600 file");
  ExpectEqualStores();
}

TEST_F(RootlessTest, GitWorks) {
  InMount(
      "git init -q repository; cd repository; echo content > file; git add file; "
      "git -c user.name=Test -c user.email=test@localhost commit -q -m first; git fsck --strict");
  ExpectEqualStores();
}

}  // namespace
}  // namespace hawser::test
