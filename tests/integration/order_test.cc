// One order over all machines. Writers on alpha and bravo hand a token back and forth: each step is written
// only after the step before, on the other machine, has returned. So charlie never shows a step without the
// one before it.
#include <atomic>
#include <random>
#include <thread>

#include "tests/integration/files.h"
#include "tests/support/churn/rng.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

constexpr int kSteps = 600;
constexpr int kTokenDigits = 8;

// Even steps are alpha's, odd ones bravo's. Step n also makes the name step-n.
class TokenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(cluster_.Start());
    Write(Token(cluster_.Mount("alpha", "docs")), Digits(0));
    Write(Token(cluster_.Mount("bravo", "mail")), Digits(0));
    ASSERT_OK(cluster_.WaitForSecondaries());
  }

  static std::string Token(const std::string& folder) { return folder + "/token"; }
  static std::string StepName(const std::string& folder, int step) {
    return folder + "/step-" + std::to_string(step);
  }

  static std::string Digits(int step) {
    std::string digits = std::to_string(step);
    return std::string(kTokenDigits - digits.size(), '0') + digits;
  }

  void WriteSteps() {
    const UniqueFd docs(open(Token(cluster_.Mount("alpha", "docs")).c_str(), O_RDWR));
    const UniqueFd mail(open(Token(cluster_.Mount("bravo", "mail")).c_str(), O_RDWR));
    for (int step = 1; step <= kSteps && !stop_; ++step) {
      const bool even = step % 2 == 0;
      const std::string folder = even ? cluster_.Mount("alpha", "docs") : cluster_.Mount("bravo", "mail");
      ASSERT_EQ(pwrite((even ? docs : mail).get(), Digits(step).data(), kTokenDigits, 0), kTokenDigits);
      Write(StepName(folder, step), "done");
    }
    stop_ = true;
  }

  static int StepIn(const std::string& folder) {
    const std::string token = Read(Token(folder));
    return token.size() == kTokenDigits ? std::stoi(token) : -1;
  }

  // What is read first is no newer than what is read second: then the second is at least the step before the
  // first.
  void CheckOnce(const std::string& first, const std::string& second) {
    const int seen = StepIn(first);
    const int then = StepIn(second);
    ASSERT_GE(seen, 0) << "the token in " << first << " has another size than was ever written";
    ASSERT_GE(then, 0) << "the token in " << second << " has another size than was ever written";
    EXPECT_GE(then, seen - 1) << "step " << seen << " is in " << first << " without step " << seen - 1
                              << " in " << second;
    if (seen > 1) {
      EXPECT_TRUE(Exists(StepName(second, seen - 1)))
          << "the token of step " << seen << " is in " << first << " without the name of the step before";
    }
    latest_ = std::max(latest_, seen);
  }

  // Reads in `docs` and `mail` until the writers are done and everything is there.
  void ReadSteps(const std::string& docs, const std::string& mail) {
    std::uint64_t reads = 0;
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (latest_ < kSteps && !HasFailure() && std::chrono::steady_clock::now() < end) {
      CheckOnce(docs, mail);
      CheckOnce(mail, docs);
      ++reads;
    }
    EXPECT_EQ(latest_, kSteps) << "not every step arrived";
    std::printf("%llu reads\n", static_cast<unsigned long long>(reads));
  }

  Cluster cluster_;
  std::atomic<bool> stop_ = false;
  int latest_ = 0;
};

TEST_F(TokenTest, MountOfTheSecondaryNeverShowsAStepWithoutTheOneBefore) {
  std::thread writers([this] { WriteSteps(); });
  ReadSteps(cluster_.Mount("charlie", "docs"), cluster_.Mount("charlie", "mail"));
  stop_ = true;
  writers.join();
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(TokenTest, StoreOfASecondaryStoppedAtRandomMomentsNeverHoldsAStepWithoutTheOneBefore) {
  const std::uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::thread writers([this] { WriteSteps(); });
  std::atomic<bool> reading = true;
  std::thread freezer([&] {
    Rng rng(seed);
    const auto pause = [&] { std::this_thread::sleep_for(std::chrono::microseconds(rng.Below(20'000))); };
    while (reading) {
      cluster_.Freeze("charlie");
      pause();
      cluster_.Thaw("charlie");
      pause();
    }
  });
  ReadSteps(cluster_.Store("charlie", "docs"), cluster_.Store("charlie", "mail"));
  reading = false;
  stop_ = true;
  freezer.join();
  writers.join();
  EXPECT_OK(cluster_.CompareAllTrees());
}

}  // namespace
}  // namespace hawser::test
