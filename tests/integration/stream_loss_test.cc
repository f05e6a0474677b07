// A secondary whose PUB messages are lost ends up equal by itself, and the relay keeps nothing for it.
#include <thread>

#include "tests/integration/detour.h"
#include "tests/support/churn/churn.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

class StreamLossTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* process : {"relay", "alpha", "bravo"}) ASSERT_OK(cluster_.Start(process));
    auto detour = Detour::Make(cluster_);
    ASSERT_OK(detour);
    detour_ = *std::move(detour);
    ASSERT_OK(detour_->Start());
    relay_ = cluster_.Running("relay").pid();
    charlie_ = detour_->charlie().pid();
  }

  void Churn(double seconds) {
    constexpr std::uint64_t kSeed = 20;
    const auto report =
        RunChurn({.folders = {cluster_.Mount("alpha", "docs"), cluster_.Mount("bravo", "mail")},
                  .seed = kSeed,
                  .threads = 4,
                  .seconds = seconds,
                  .operations = 0});
    ASSERT_OK(report);
    EXPECT_TRUE(report->failures.empty()) << report->Text();
  }

  void WriteMuch(std::uint64_t bytes) {
    const std::string block(128 * kKiB, 'm');
    for (std::uint64_t i = 0; i < bytes / block.size(); ++i)
      Write(cluster_.Mount("alpha", "docs") + "/big" + std::to_string(i % 50), block);
  }

  void ExpectEqualWithoutRestart() {
    EXPECT_OK(cluster_.CompareAllTrees());
    EXPECT_EQ(cluster_.Running("relay").pid(), relay_);
    EXPECT_EQ(detour_->charlie().pid(), charlie_);
    EXPECT_TRUE(detour_->charlie().running());
  }

  Cluster cluster_;
  std::unique_ptr<Detour> detour_;
  pid_t relay_ = -1;
  pid_t charlie_ = -1;
};

TEST_F(StreamLossTest, LosingWriteGroupsAndConnectionsUnderLoadLosesNothing) {
  detour_->stream().Set(Loss::kSomeFrames);
  std::thread load([this] { Churn(4); });
  for (int i = 0; i < 6; ++i) {
    const std::uint64_t lost = detour_->stream().lost();
    EXPECT_TRUE(WaitUntil([&] { return detour_->stream().lost() > lost + 20; }));
    detour_->stream().Cut();
  }
  load.join();
  EXPECT_GT(detour_->stream().passed(), 0u);
  ExpectEqualWithoutRestart();
}

TEST_F(StreamLossTest, LosingAllWriteGroupsDoesNotMakeTheRelayGrow) {
  WriteMuch(30 * kMiB);
  ASSERT_OK(cluster_.WaitForSecondaries());
  const std::uint64_t before = cluster_.Running("relay").ResidentBytes();
  detour_->stream().Set(Loss::kAllFrames);
  WriteMuch(150 * kMiB);
  const std::uint64_t after = cluster_.Running("relay").ResidentBytes();
  std::printf("relay: %llu MiB before, %llu MiB after\n", static_cast<unsigned long long>(before / kMiB),
              static_cast<unsigned long long>(after / kMiB));
  EXPECT_LT(after, before + 100 * kMiB);
  EXPECT_GT(detour_->stream().lost(), 1000u);
  ExpectEqualWithoutRestart();
}

TEST_F(StreamLossTest, AStreamThatHasGoneSilentIsNoReasonToStayBehind) {
  detour_->stream().Set(Loss::kEverything);
  Churn(1);
  ExpectEqualWithoutRestart();
}

}  // namespace
}  // namespace hawser::test
