// Some rounds of each scenario. hawser-crash and scripts/soak run them for hours.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "tests/crash/trial.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

std::uint64_t Seed() {
  const char* given = std::getenv("HAWSER_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

class CrashRoundsTest : public ::testing::Test {
 protected:
  // Rounds in which each disturbance is one of these.
  void Run(const std::vector<std::string>& names, int rounds) {
    std::vector<Scenario> scenarios;
    for (const Scenario& scenario : Scenarios())
      if (std::ranges::find(names, scenario.name) != names.end()) scenarios.push_back(scenario);
    ASSERT_EQ(scenarios.size(), names.size());
    const std::uint64_t seed = Seed();
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    auto trial = Trial::Start(seed, scenarios.front().needs_disks);
    ASSERT_OK(trial);
    for (int i = 0; i < rounds && !HasFailure(); ++i) {
      const Status held = (*trial)->Round(scenarios);
      EXPECT_TRUE(held) << held.error().Text() << "\nwhat was done:\n" << (*trial)->history();
    }
    EXPECT_EQ((*trial)->tally().lost, 0u);
    EXPECT_GT((*trial)->tally().acknowledged, 0u);
  }
};

TEST_F(CrashRoundsTest, EachProcessThatIsKilledComesBackWithNothingLost) {
  auto trial = Trial::Start(1);
  ASSERT_OK(trial);
  for (const std::string& process : kProcesses) {
    SCOPED_TRACE(process);
    (*trial)->Kill(process);
    ASSERT_OK((*trial)->Settle());
  }
  EXPECT_EQ((*trial)->tally().lost, 0u);
}

TEST_F(CrashRoundsTest, EachPairOfProcessesKilledAtOnceComesBackWithNothingLost) {
  auto trial = Trial::Start(1);
  ASSERT_OK(trial);
  for (auto one = kProcesses.begin(); one != kProcesses.end(); ++one) {
    for (auto other = std::next(one); other != kProcesses.end(); ++other) {
      SCOPED_TRACE(*one + " and " + *other);
      (*trial)->Kill(*one);
      (*trial)->Kill(*other);
      ASSERT_OK((*trial)->Settle());
    }
  }
  EXPECT_EQ((*trial)->tally().lost, 0u);
}

TEST_F(CrashRoundsTest, FrozenProcessesAreOnlySlow) { Run({"freeze"}, 1); }

TEST_F(CrashRoundsTest, LostLinksHealByThemselves) { Run({"link"}, 1); }

TEST_F(CrashRoundsTest, SecondaryKilledAtARandomMomentShowsAStateThatExisted) { Run({"stop"}, 2); }

TEST_F(CrashRoundsTest, ANodeWithAnotherStoreIsRefusedAndGoesOnWithItsOwn) { Run({"store"}, 2); }

TEST_F(CrashRoundsTest, RolesThatMoveLoseNothing) { Run({"move"}, 3); }

TEST_F(CrashRoundsTest, AnythingAtOnceLosesNothing) {
  Run({"kill", "point", "freeze", "link", "stop", "move"}, 2);
}

TEST_F(CrashRoundsTest, FullDisksHoldUpNobodyForGood) {
  if (!SmallDisk::Available()) GTEST_SKIP() << "needs root and loop devices";
  Run({"disk"}, 1);
}

// The check itself: what was changed behind a replica's back is found.
TEST_F(CrashRoundsTest, ReplicaThatLacksAnAcknowledgedCallIsFound) {
  auto trial = Trial::Start(1);
  ASSERT_OK(trial);
  ASSERT_OK((*trial)->load().AwaitProgress());
  ASSERT_OK((*trial)->load().Stop());
  ASSERT_OK((*trial)->group().AwaitCaughtUp());
  const std::string copy = (*trial)->group().Store("charlie", "docs") + "/" + kWorkFolder + "/links";
  for (const auto& entry : std::filesystem::directory_iterator(copy)) std::filesystem::remove(entry.path());
  (*trial)->load().Start();
  const Status settled = (*trial)->Settle();
  EXPECT_FALSE(settled);
}

}  // namespace
}  // namespace hawser::test
