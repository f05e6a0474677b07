// The conformance program itself: the same on the same filesystem, and not blind.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "tests/support/ok.h"
#include "tests/support/posix/runner.h"
#include "tests/support/temp_dir.h"

namespace hawser::test::posix {
namespace {

class PosixRunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the cases change owners and users: needs root";
  }

  Transcript Run(const std::vector<Case>& cases) {
    auto transcript = RunCases(cases, temp_.path());
    EXPECT_OK(transcript);
    return transcript ? *transcript : Transcript();
  }

  TempDir temp_;
};

TEST_F(PosixRunnerTest, TwoRunsOnAPlainFolderAreEqual) {
  std::vector<Case> cases = AllCases();
  std::erase_if(cases, [](const Case& test) { return test.name.starts_with("paths/"); });
  const Transcript first = Run(cases);
  for (const Mismatch& mismatch : CompareTranscripts(first, Run(cases)))
    ADD_FAILURE() << mismatch.name << "\n  first: " << mismatch.plain << "\n  second: " << mismatch.mount;
}

TEST_F(PosixRunnerTest, AnotherResultIsFound) {
  const auto with_mode = [](mode_t mode) {
    return std::vector<Case>{{"test/case", [mode](Script& script) {
                                script.Step("mkdir", mkdir("d", mode));
                                script.Show("d");
                              }}};
  };
  const auto mismatches = CompareTranscripts(Run(with_mode(0700)), Run(with_mode(0755)));
  ASSERT_EQ(mismatches.size(), 1u);
  EXPECT_EQ(mismatches[0].plain, "  d: folder 0700 0:0 nlink 2");
  EXPECT_EQ(mismatches[0].mount, "  d: folder 0755 0:0 nlink 2");
}

TEST_F(PosixRunnerTest, CaseThatCrashesSaysSo) {
  const Transcript transcript = Run({{"test/crash", [](Script&) { raise(SIGKILL); }}});
  EXPECT_EQ(transcript.at("test/crash"), Lines{"THE CASE ENDED WITH STATUS 9"});
}

TEST_F(PosixRunnerTest, NothingIsLeftBehind) {
  Run({{"test/case", [](Script&) { MakeFolder("d/", 0); }}});
  EXPECT_NE(rmdir(temp_.path().c_str()), -1) << "the folder is not empty";
  EXPECT_EQ(mkdir(temp_.path().c_str(), 0755), 0);
}

}  // namespace
}  // namespace hawser::test::posix
