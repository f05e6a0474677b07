// A primary's start that waits for the relay in the middle of its work: it can be ended, says what it waits
// for, and goes on when the relay is back.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <string>

#include "common/base/files.h"
#include "tests/crash/group.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

constexpr std::chrono::seconds kMoment{10};

// alpha's first start: the relay takes alpha's session and the root of docs, each with a flush, and answers
// only the first.
class StartTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto group = Group::Make();
    ASSERT_OK(group);
    group_ = *std::move(group);
    ASSERT_EQ(::chmod(group_->Store("alpha", "docs").c_str(), 0751), 0);
  }
  void TearDown() override {
    if (HasFailure() && group_ != nullptr) {
      for (const std::string process : {"relay", "alpha"})
        std::fprintf(stderr, "---- %s\n%s", process.c_str(), group_->TailOfLog(process).c_str());
    }
  }

  void LaunchUpToTheRoot() {
    ASSERT_OK(group_->Launch("relay", "relay.flushed:2"));
    ASSERT_OK(group_->AwaitReady("relay"));
    ASSERT_OK(group_->Launch("alpha"));
    ASSERT_TRUE(WaitUntil([&] { return !group_->IsRunning("relay"); }));
    ExpectSaid("has given this start session");
  }
  void ExpectSaid(const std::string& words) {
    EXPECT_TRUE(WaitUntil([&] { return ReadFile(group_->Log("alpha"))->find(words) != std::string::npos; }))
        << "alpha never said: " << words;
  }
  void ExpectAllGoesOn() {
    ASSERT_OK(group_->Start());
    ASSERT_OK(group_->AwaitCaughtUp());
    struct stat root {};
    ASSERT_EQ(::stat(group_->Store("charlie", "docs").c_str(), &root), 0);
    EXPECT_EQ(root.st_mode & 07777, 0751U) << "the root that the volume began with isn't in the journal";
    EXPECT_OK(group_->CompareStores());
  }

  std::unique_ptr<Group> group_;
};

class SignalTest : public StartTest, public ::testing::WithParamInterface<int> {};

TEST_P(SignalTest, EndsAStartThatWaitsForTheRelayInTheMiddleOfItsWork) {
  ASSERT_NO_FATAL_FAILURE(LaunchUpToTheRoot());
  ASSERT_OK(group_->Stop("alpha", GetParam(), kMoment));
  ExpectAllGoesOn();
}

INSTANTIATE_TEST_SUITE_P(Signals, SignalTest, ::testing::Values(SIGTERM, SIGINT),
                         [](const auto& signal) { return std::string("SIG") + sigabbrev_np(signal.param); });

TEST_F(StartTest, SaysWhatItWaitsForAndGoesOnWhenTheRelayIsBack) {
  ASSERT_NO_FATAL_FAILURE(LaunchUpToTheRoot());
  ExpectSaid("still starting: journaling the root of docs");
  // The relay can be asked, but what alpha writes doesn't reach it.
  group_->SetLink("alpha", Port::kWrite, Flow::kHoldAll);
  ASSERT_OK(group_->Launch("relay"));
  ASSERT_OK(group_->AwaitReady("relay"));
  EXPECT_TRUE(WaitUntil([&] {
    return group_->StateOf("alpha").starts_with("catching_up: starting: journaling the root of docs");
  })) << group_->StateOf("alpha");
  group_->SetLink("alpha", Port::kWrite, Flow::kOpen);
  ASSERT_OK(group_->AwaitReady("alpha"));
  ExpectAllGoesOn();
}

}  // namespace
}  // namespace hawser::test
