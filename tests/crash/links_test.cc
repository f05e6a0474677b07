// Each link of a node by itself: what it costs, and that it heals without help.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/crash/trial.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

class LinksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto trial = Trial::Start(1);
    ASSERT_OK(trial);
    trial_ = *std::move(trial);
    ASSERT_OK(trial_->load().AwaitProgress());
  }

  Group& group() { return trial_->group(); }

  void Set(const std::string& node, const std::vector<Port>& ports, Flow flow) {
    for (const Port port : ports) group().SetLink(node, port, flow);
  }

  // Until the works whose names begin so have been acknowledged `steps` more.
  bool Progresses(const std::string& prefix, std::uint64_t steps) {
    const auto before = trial_->load().Acknowledged();
    return WaitUntil([&] {
      for (const auto& [work, n] : trial_->load().Acknowledged())
        if (work.starts_with(prefix) && n < before.at(work) + steps) return false;
      return true;
    });
  }

  static bool Grows(const std::string& file) {
    std::error_code failed;
    const auto before = std::filesystem::file_size(file, failed);
    return WaitUntil([&] { return std::filesystem::file_size(file, failed) > before && !failed; });
  }

  // What the status says of a node becomes that.
  void ExpectState(const std::string& node, const std::string& state) {
    std::string last;
    EXPECT_TRUE(WaitUntil([&] { return (last = group().StateOf(node)).starts_with(state); })) << last;
  }

  // How many records a node has applied, as the relay knows.
  std::uint64_t Applied(const std::string& node) const {
    const auto status = trial_->group().GetStatus();
    if (!status) return 0;
    return status->value(nlohmann::json::json_pointer("/nodes/" + node + "/applied"), std::uint64_t{0});
  }

  void ExpectAllWellWithoutHelp() {
    EXPECT_OK(trial_->Settle());
    EXPECT_EQ(trial_->tally().lost, 0u);
  }

  const std::vector<Port> all_{Port::kWrite, Port::kStream, Port::kControl};
  std::unique_ptr<Trial> trial_;
};

TEST_F(LinksTest, SecondaryThatLosesOnlyTheStreamStillGetsEverything) {
  Set("charlie", {Port::kStream}, Flow::kHoldAll);
  const std::uint64_t before = Applied("charlie");
  ASSERT_TRUE(Progresses("docs", 3));
  EXPECT_TRUE(WaitUntil([&] { return Applied("charlie") > before + 20; })) << group().StateOf("charlie");
  Set("charlie", {Port::kStream}, Flow::kOpen);
  ExpectAllWellWithoutHelp();
}

TEST_F(LinksTest, SecondaryWhoseReportsAreLostIsCalledDisconnectedAndHoldsBackNobody) {
  Set("charlie", {Port::kControl}, Flow::kHoldAll);
  ExpectState("charlie", "disconnected");
  EXPECT_TRUE(Progresses("docs", 3));
  EXPECT_TRUE(Grows(group().Mount("charlie", "docs") + "/" + kWorkFolder + "/append"))
      << "the stream is there";
  Set("charlie", {Port::kControl}, Flow::kOpen);
  ExpectAllWellWithoutHelp();
}

TEST_F(LinksTest, SecondaryThatIsCutOffHoldsBackNobodyAndCatchesUp) {
  Set("charlie", all_, Flow::kCut);
  ExpectState("charlie", "disconnected");
  EXPECT_TRUE(Progresses("", 3));
  ExpectState("delta", "live");
  Set("charlie", all_, Flow::kOpen);
  ExpectAllWellWithoutHelp();
}

TEST_F(LinksTest, PrimaryThatIsCutOffWaitsAndTheOtherOneGoesOn) {
  Set("alpha", all_, Flow::kHoldAll);
  EXPECT_TRUE(Progresses("mail", 3));
  const auto held = trial_->load().Acknowledged();
  EXPECT_TRUE(Progresses("mail", 3));
  for (const auto& [work, n] : trial_->load().Acknowledged())
    if (work.starts_with("docs")) {
      EXPECT_EQ(n, held.at(work)) << work << " was acknowledged by nobody";
    }
  Set("alpha", all_, Flow::kOpen);
  ExpectAllWellWithoutHelp();
}

// The record is in the journal, but its caller has not heard of it: it is sent again, and takes place once.
TEST_F(LinksTest, RecordsWhoseAnswersAreLostTakePlaceOnce) {
  for (int i = 0; i < 2; ++i) {
    Set("alpha", {Port::kWrite}, Flow::kHoldReplies);
    ASSERT_TRUE(Progresses("mail", 3));
    group().ResetLink("alpha", Port::kWrite);
    Set("alpha", {Port::kWrite}, Flow::kOpen);
    ASSERT_TRUE(Progresses("docs", 1));
  }
  ExpectAllWellWithoutHelp();
}

TEST_F(LinksTest, RelayThatEverybodyLosesIsFoundAgain) {
  for (const std::string& node : kNodes) Set(node, all_, Flow::kCut);
  ExpectState("alpha", "disconnected");
  for (const std::string& node : kNodes) Set(node, all_, Flow::kOpen);
  ExpectAllWellWithoutHelp();
}

}  // namespace
}  // namespace hawser::test
