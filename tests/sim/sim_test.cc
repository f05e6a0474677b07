// Seeds of the simulation that must be clean, and for each deliberate fault one that must not.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cctype>
#include <iostream>

#include "tests/sim/scratch.h"
#include "tests/sim/simulation.h"

namespace hawser::sim {

void PrintTo(const FaultInfo& info, std::ostream* out) { *out << info.name; }

namespace {

// A fault has to be found by one of so many seeds.
constexpr std::uint64_t kFaultBudget = 400;

class SimTest : public testing::Test {
 protected:
  // What is made to fail would be said in the log.
  SimTest() { spdlog::set_level(spdlog::level::off); }

  RunOptions Options(std::uint64_t seed) {
    return {.seed = seed, .mutations = {}, .folder = scratch_.path()};
  }

  const Scratch scratch_;
};

// ---- nothing is lost, nothing twice, nothing half

struct Seeds {
  std::uint64_t first;
  std::uint64_t last;
  friend std::ostream& operator<<(std::ostream& out, const Seeds& seeds) {
    return out << seeds.first << ".." << seeds.last;
  }
};
class CleanSeedsTest : public SimTest, public testing::WithParamInterface<Seeds> {};

TEST_P(CleanSeedsTest, HoldTheInvariants) {
  Counts counts;
  for (std::uint64_t seed = GetParam().first; seed <= GetParam().last; ++seed) {
    const RunResult result = RunSeed(Options(seed));
    EXPECT_EQ(result.calls_lost, 0U);
    ASSERT_FALSE(result.violation) << Explain(Options(seed), "");
    counts.crashes += result.counts.crashes;
    counts.calls += result.counts.calls;
  }
  // A simulation in which nothing happens would be clean too.
  EXPECT_GT(counts.crashes, GetParam().last - GetParam().first);
  EXPECT_GT(counts.calls, 10 * (GetParam().last - GetParam().first));
}

INSTANTIATE_TEST_SUITE_P(Seeds, CleanSeedsTest,
                         testing::Values(Seeds{1, 250}, Seeds{251, 500}, Seeds{501, 750}, Seeds{751, 1000}),
                         [](const auto& seeds) {
                           return fmt::format("{}To{}", seeds.param.first, seeds.param.last);
                         });

// ---- the checker can fail

class FaultTest : public SimTest, public testing::WithParamInterface<FaultInfo> {};

TEST_P(FaultTest, IsFound) {
  for (std::uint64_t seed = 1; seed <= kFaultBudget; ++seed) {
    RunOptions options = Options(seed);
    options.mutations = Mutations(GetParam().fault);
    const RunResult result = RunSeed(options);
    if (!result.violation) continue;
    std::cout << fmt::format("{}: found by seed {}: {}: {}\n", GetParam().name, seed,
                             result.violation->invariant, result.violation->text);
    return;
  }
  FAIL() << GetParam().name << ": none of " << kFaultBudget << " seeds finds it";
}

INSTANTIATE_TEST_SUITE_P(Faults, FaultTest, testing::ValuesIn(AllFaults()), [](const auto& fault) {
  std::string name;
  bool upper = true;
  for (const char c : fault.param.name) {
    if (c != '-') name += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = c == '-';
  }
  return name;
});

// ---- what a person needs

TEST_F(SimTest, TheSameSeedIsTheSameRun) {
  std::vector<std::string> first;
  std::vector<std::string> second;
  RunOptions options = Options(7);
  options.trace = [&first](const std::string& line) { first.push_back(line); };
  const RunResult once = RunSeed(options);
  options.trace = [&second](const std::string& line) { second.push_back(line); };
  const RunResult again = RunSeed(options);
  EXPECT_EQ(once.counts.steps, again.counts.steps);
  EXPECT_EQ(once.counts.calls, again.counts.calls);
  EXPECT_EQ(first, second);
  EXPECT_GT(first.size(), 100U);
}

TEST_F(SimTest, AFailureSaysWhatWhenAndHowToSeeItAgain) {
  RunOptions options = Options(1);
  options.mutations = Mutations(Fault::kDropViewGate);
  ASSERT_TRUE(RunSeed(options).violation);
  const std::string text = Explain(options, "drop-view-gate");
  EXPECT_NE(text.find("seed 1: I4 Whole groups only"), std::string::npos) << text;
  EXPECT_NE(text.find("at step "), std::string::npos) << text;
  EXPECT_NE(text.find("ms of simulated time"), std::string::npos) << text;
  EXPECT_NE(text.find("hawser-sim --seed 1 --steps 4000 --fault drop-view-gate --trace"), std::string::npos)
      << text;
}

}  // namespace
}  // namespace hawser::sim
