#include "tests/support/churn/churn.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.h"
#include "tests/support/tree_compare.h"

namespace hawser::test {
namespace {

TEST(ChurnTest, RunsOnPlainFolderWithoutFailure) {
  const TempDir temp;
  const auto report = RunChurn({.folders = {temp.path()}, .seed = 7, .threads = 8, .seconds = 1});
  ASSERT_TRUE(report) << report.error().Text();
  EXPECT_TRUE(report->failures.empty()) << report->Text();
  EXPECT_GT(report->operations, 100u);
}

TEST(ChurnTest, OneThreadLeavesTheSameOutcomesForTheSameSeed) {
  const TempDir temp;
  std::map<std::string, std::map<int, std::uint64_t>> outcomes[2];
  for (int run = 0; run < 2; ++run) {
    const std::string folder = temp / std::to_string(run);
    ASSERT_EQ(mkdir(folder.c_str(), 0755), 0);
    const auto report =
        RunChurn({.folders = {folder}, .seed = 42, .threads = 1, .seconds = 0, .operations = 3000});
    ASSERT_TRUE(report) << report.error().Text();
    EXPECT_TRUE(report->failures.empty()) << report->Text();
    outcomes[run] = report->outcomes;
  }
  EXPECT_EQ(outcomes[0], outcomes[1]);
}

TEST(ChurnTest, MissingFolderIsAnError) {
  const auto report = RunChurn({.folders = {"/nowhere/at/all"}});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ENOENT);
}

}  // namespace
}  // namespace hawser::test
