// Many threads, two primaries, random operations: at the end every tree is equal.
#include <chrono>
#include <cstdlib>
#include <random>

#include "tests/integration/files.h"
#include "tests/support/churn/churn.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

// HAWSER_CHURN_SECONDS and HAWSER_SEED make a run longer and replay one.
double Seconds() {
  const char* seconds = std::getenv("HAWSER_CHURN_SECONDS");
  return seconds != nullptr ? std::atof(seconds) : 6;
}

std::uint64_t Seed() {
  const char* seed = std::getenv("HAWSER_SEED");
  return seed != nullptr ? std::strtoull(seed, nullptr, 10) : std::random_device{}();
}

class ConcurrencyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::printf("HAWSER_SEED=%llu\n", static_cast<unsigned long long>(seed_));
    ASSERT_OK(cluster_.Start());
  }

  void Churn(const std::vector<std::string>& folders, unsigned threads) {
    const auto report = RunChurn(
        {.folders = folders, .seed = seed_, .threads = threads, .seconds = Seconds(), .operations = 0});
    ASSERT_OK(report);
    EXPECT_TRUE(report->failures.empty()) << report->Text();
    EXPECT_GT(report->operations, threads) << "hardly anything was done";
    std::printf("%llu operations\n", static_cast<unsigned long long>(report->operations));
  }

  const std::uint64_t seed_ = Seed();
  Cluster cluster_;
};

TEST_F(ConcurrencyTest, SixteenThreadsOnOnePrimaryLeaveEqualTrees) {
  Churn({cluster_.Mount("alpha", "docs")}, 16);
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(ConcurrencyTest, TwoPrimariesAtOnceLeaveEqualTrees) {
  Churn({cluster_.Mount("alpha", "docs"), cluster_.Mount("bravo", "mail")}, 16);
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(ConcurrencyTest, OneThreadOfEachPrimaryLeavesEqualTrees) {
  Churn({cluster_.Mount("alpha", "docs"), cluster_.Mount("bravo", "mail")}, 2);
  EXPECT_OK(cluster_.CompareAllTrees());
}

}  // namespace
}  // namespace hawser::test
