// A store that someone else touched is noticed, named and not replayed over.
#include <sys/xattr.h>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

class DivergenceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(cluster_.Start());
    Write(Docs("file"), "content");
    ASSERT_SYSCALL(mkdir(Docs("folder").c_str(), 0755));
    ASSERT_OK(cluster_.WaitForSecondaries());
  }

  std::string Docs(const std::string& name) const { return cluster_.Mount("alpha", "docs") + "/" + name; }
  std::string Copy(const std::string& name) const { return cluster_.Store("charlie", "docs") + "/" + name; }

  // charlie must say `diverged` and name the path; mail goes on.
  void ExpectDiverged(const std::string& path) {
    const bool noticed = WaitUntil([this] { return cluster_.StateOf("charlie") == "diverged"; });
    const auto status = cluster_.GetStatus();
    ASSERT_OK(status);
    ASSERT_TRUE(noticed) << status->dump(2);
    const std::string told = status->dump() + Read(cluster_.Log("charlie"));
    EXPECT_NE(told.find(path), std::string::npos) << "the path is not named: " << told;
    EXPECT_EQ(cluster_.Hawser({"wait", "--timeout", "30s"})->exit, 1);

    Write(cluster_.Mount("bravo", "mail") + "/letter", "goes on");
    EXPECT_TRUE(WaitUntil([this] {
      return Read(cluster_.Store("charlie", "mail") + "/letter") == "goes on";
    })) << "the other volume stands still, too";
  }

  Cluster cluster_;
};

TEST_F(DivergenceTest, ReplacedFileIsNoticed) {
  ASSERT_SYSCALL(unlink(Copy("file").c_str()));
  Write(Copy("file"), "content");
  Append(Docs("file"), " and more");
  ExpectDiverged("file");
  EXPECT_EQ(Read(Copy("file")), "content") << "it was replayed over";
}

TEST_F(DivergenceTest, RemovedFileIsNoticed) {
  ASSERT_SYSCALL(unlink(Copy("file").c_str()));
  Append(Docs("file"), " and more");
  ExpectDiverged("file");
}

TEST_F(DivergenceTest, ChangedContentIsNoticed) {
  Append(Copy("file"), "x");
  Append(Docs("file"), " and more");
  ExpectDiverged("file");
}

TEST_F(DivergenceTest, NameThatIsAlreadyThereIsNoticed) {
  Write(Copy("folder/intruder"), "mine");
  Write(Docs("folder/intruder"), "theirs");
  ExpectDiverged("folder/intruder");
  EXPECT_EQ(Read(Copy("folder/intruder")), "mine") << "it was replayed over";
}

TEST_F(DivergenceTest, RemovedFolderIsNoticed) {
  ASSERT_SYSCALL(rmdir(Copy("folder").c_str()));
  Write(Docs("folder/file"), "x");
  ExpectDiverged("folder");
}

TEST_F(DivergenceTest, DivergenceIsRememberedOverARestart) {
  ASSERT_SYSCALL(unlink(Copy("file").c_str()));
  Append(Docs("file"), " and more");
  ExpectDiverged("file");
  ASSERT_OK(cluster_.Stop("charlie"));
  ASSERT_OK(cluster_.Start("charlie"));
  EXPECT_TRUE(WaitUntil([this] { return cluster_.StateOf("charlie") == "diverged"; }));
}

}  // namespace
}  // namespace hawser::test
