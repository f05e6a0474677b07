// The processes on machines of their own, and cables that are pulled: packets are lost, and nobody is told
// anything.
#include "tests/crash/network.h"

#include <gtest/gtest.h>

#include "tests/crash/trial.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

class NetworkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Network::Available()) GTEST_SKIP() << "needs root and network namespaces";
    auto trial = Trial::Start(1, GroupOptions{.disks = {}, .relay_keys = {}, .namespaces = true});
    ASSERT_OK(trial);
    trial_ = *std::move(trial);
    ASSERT_OK(trial_->load().AwaitProgress());
  }

  Group& group() { return trial_->group(); }

  // Until a work of each of those volumes has been acknowledged another step.
  bool Progresses(const std::string& volume) {
    const auto before = trial_->load().Acknowledged();
    return WaitUntil([&] {
      const auto now = trial_->load().Acknowledged();
      return now.at(volume + "-append") > before.at(volume + "-append");
    });
  }

  void ExpectState(const std::string& node, const std::string& state) {
    std::string last;
    EXPECT_TRUE(WaitUntil([&] { return (last = group().StateOf(node)).starts_with(state); })) << last;
  }

  std::unique_ptr<Trial> trial_;
};

TEST_F(NetworkTest, CablesThatAreKnockedOutOneAfterTheOtherLoseNothing) {
  for (const std::string machine : {"charlie", "alpha", "relay"}) {
    SCOPED_TRACE(machine);
    ASSERT_OK(group().network().Pull(machine));
    if (machine != "relay") {
      ExpectState(machine, "disconnected");
      EXPECT_TRUE(Progresses("mail"));
    }
    ASSERT_OK(group().network().Plug(machine));
    EXPECT_TRUE(Progresses("docs"));
  }
  EXPECT_OK(trial_->Settle());
  EXPECT_EQ(trial_->tally().lost, 0u);
}

// Its connections are dead, but neither end has been told.
TEST_F(NetworkTest, ProcessKilledBehindAPulledCableComesBack) {
  ASSERT_OK(group().network().Pull("relay"));
  trial_->Kill("relay");
  trial_->Kill("bravo");
  ASSERT_OK(group().network().Plug("relay"));
  EXPECT_OK(trial_->Settle());
  EXPECT_EQ(trial_->tally().lost, 0u);
}

}  // namespace
}  // namespace hawser::test
