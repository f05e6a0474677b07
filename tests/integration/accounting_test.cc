// Primary and relay are gone: what the copy that is left says of itself is true.
#include <gmock/gmock.h>

#include <csignal>
#include <sstream>

#include "tests/integration/detour.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class AccountingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* process : {"relay", "alpha", "bravo"}) ASSERT_OK(cluster_.Start(process));
    auto detour = Detour::Make(cluster_);
    ASSERT_OK(detour);
    detour_ = *std::move(detour);
    ASSERT_OK(detour_->Start());
  }

  std::uint64_t Head() const {
    const auto status = cluster_.GetStatus();
    return status ? status->at("relay").at("head").get<std::uint64_t>() : 0;
  }

  void WriteFiles(const std::string& name, int count) {
    for (int i = 0; i < count; ++i)
      Write(cluster_.Mount("alpha", "docs") + "/" + name + std::to_string(i), "content");
  }

  // What charlie has on disk of the head that it heard of.
  std::uint64_t HeardHead() const {
    const json heard = json::parse(Read(cluster_.State("charlie") + "/heard"), nullptr, false);
    return heard.is_object() ? heard.value("sequence", 0u) : 0;
  }

  // `hawser journal lack charlie`: the exit code, and the line at the end.
  std::pair<int, json> Lack() const {
    const auto result = cluster_.Hawser({"journal", "lack", "charlie", "--json"});
    if (!result) return {-1, {}};
    std::istringstream text(result->output);
    std::string last;
    for (std::string line; std::getline(text, line);) last = line;
    json line = json::parse(last, nullptr, false);
    EXPECT_TRUE(line.is_object()) << result->output;
    return {result->exit, std::move(line)};
  }

  Cluster cluster_;
  std::unique_ptr<Detour> detour_;
};

TEST_F(AccountingTest, AfterADisasterTheCopyTellsHowManyRecordsAreMissing) {
  WriteFiles("before", 20);
  ASSERT_OK(cluster_.WaitForSecondaries());
  const std::uint64_t held = Head();
  // From here on charlie only hears of what the relay has.
  detour_->stream().Set(Loss::kAllFrames);
  detour_->SetControl(Flow::kHoldAll);
  WriteFiles("after", 50);
  const std::uint64_t head = Head();
  ASSERT_GT(head, held);
  ASSERT_TRUE(WaitUntil([&] { return HeardHead() == head; })) << HeardHead() << " instead of " << head;
  for (const char* process : {"relay", "alpha", "bravo"}) cluster_.Kill(process);
  detour_->charlie().Signal(SIGKILL);
  ASSERT_OK(detour_->charlie().Wait());

  const std::string missing = std::to_string(head - held) + " records are known to be missing";
  const std::string log_before = Read(cluster_.Log("charlie"));
  EXPECT_EQ(log_before.find(missing), std::string::npos);
  ASSERT_OK(detour_->Start());
  const std::string log = Read(cluster_.Log("charlie")).substr(log_before.size());
  EXPECT_THAT(log, HasSubstr("received up to " + std::to_string(held) + " (group "));
  EXPECT_THAT(log, HasSubstr("the newest head heard of is " + std::to_string(head) + " (group "));
  EXPECT_THAT(log, HasSubstr(missing));

  const auto answer = cluster_.Hawser({"status", "--json", "--log-level", "error"});
  ASSERT_OK(answer);
  EXPECT_EQ(answer->exit, 3);
  const json status = json::parse(answer->output.substr(answer->output.find('{')), nullptr, false);
  ASSERT_TRUE(status.is_object()) << answer->output;
  const json& charlie = status["nodes"]["charlie"];
  EXPECT_EQ(charlie["running"], true);
  EXPECT_EQ(charlie["received"], held);
  EXPECT_EQ(charlie["head_heard"], head);
  EXPECT_EQ(charlie["missing"], head - held);
  EXPECT_EQ(status["nodes"]["alpha"]["running"], false);

  // The relay's disk, should it be found, tells the same, record by record.
  const auto [exit, lack] = Lack();
  EXPECT_EQ(exit, 1);
  ASSERT_TRUE(lack.is_object());
  EXPECT_EQ(lack["at"], held);
  EXPECT_EQ(lack["end"], head);
  EXPECT_EQ(lack["lacks"]["records"], head - held);

  // And when all of them are back, nothing is.
  detour_->stream().Set(Loss::kNone);
  detour_->SetControl(Flow::kOpen);
  for (const char* process : {"relay", "alpha", "bravo"}) ASSERT_OK(cluster_.Start(process));
  EXPECT_OK(cluster_.CompareAllTrees());
  EXPECT_EQ(Lack().first, 0);
}

}  // namespace
}  // namespace hawser::test
