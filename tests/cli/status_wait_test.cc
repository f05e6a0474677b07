// `hawser status` and `hawser wait` against a real relay; the nodes' reports come from the test.
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/config/agreement.h"
#include "common/config/config.h"
#include "common/net/requester.h"
#include "tests/cli/program.h"

namespace hawser::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// A node as the relay sees it: it reports, and is told the head.
class FakeNode {
 public:
  FakeNode(const Config& config, const std::string& name)
      : config_(config), name_(name), requester_(context_, config.relay.ControlEndpoint()) {}

  Overview Report(ReplicaState state, const Progress& applied, const std::string& problem = "") {
    hawser::Report report;
    report.from = {config_.group, name_, 0};
    report.config = AgreementOf(config_);
    report.received = applied;
    const ReplicaRole role = name_ == NodeName("alpha") ? ReplicaRole::kPrimary : ReplicaRole::kSecondary;
    report.volumes.push_back({VolumeName("docs"), role, state, applied, applied, problem});
    const Buffer body = Encode(report);
    const auto reply = requester_.Request(MessageType::kReport, {body}, SteadyClock::now() + kPatience);
    if (!reply || reply->type() != MessageType::kOverview || reply->parts() < 1) {
      ADD_FAILURE() << "the relay did not take a report";
      return {};
    }
    const auto overview = Decode<Overview>(reply->part(0));
    return overview ? *overview : Overview();
  }

 private:
  const Config config_;
  NodeName name_;
  NetContext context_;
  Requester requester_;
};

class StatusAndWait : public ProgramTest {
 protected:
  void SetUp() override {
    WriteConfig();
    relay_.emplace(StartHawser({"relay"}, Path("relay.log")));
    ASSERT_TRUE(WaitUntil([&] { return Content(Path("relay.log")).find("ready: ") != std::string::npos; }))
        << Content(Path("relay.log"));
    auto config = LoadConfig(Path("hawser.yaml"));
    ASSERT_TRUE(config) << config.error().message;
    charlie_ = std::make_unique<FakeNode>(*config, "charlie");
    head_ = charlie_->Report(ReplicaState::kCatchingUp, Progress()).head;
    ASSERT_GE(head_.position.sequence.value, 1u) << "the relay has journaled the first primary";
  }

  std::optional<Process> relay_;
  std::unique_ptr<FakeNode> charlie_;
  Progress head_;
};

TEST_F(StatusAndWait, TableHasARowForEachNode) {
  const ProgramResult result = Hawser({"status"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("group test"), HasSubstr("relay live"),
                                HasSubstr("\nalpha    docs "), HasSubstr("\ncharlie  docs ")));
  EXPECT_THAT(result.out, Not(HasSubstr("\033"))) << "colour without a terminal";
}

TEST_F(StatusAndWait, ProblemIsInTheTable) {
  charlie_->Report(ReplicaState::kDiverged, Progress(), "docs/a: somebody changed it");
  EXPECT_THAT(Hawser({"status"}).out, AllOf(HasSubstr("diverged"), HasSubstr("docs/a: somebody changed it")));
}

TEST_F(StatusAndWait, JsonIsTheRelays) {
  const auto status = json::parse(Hawser({"status", "--json"}).out, nullptr, false);
  EXPECT_EQ(status.value("group", ""), "test");
  EXPECT_EQ(status["relay"]["head"], head_.position.sequence.value);
  EXPECT_EQ(status["nodes"]["charlie"]["lag"]["records"], head_.position.sequence.value);
}

TEST_F(StatusAndWait, WhatNobodyHasReportedIsUnknown) {
  const auto alpha = json::parse(Hawser({"status", "--json"}).out, nullptr, false)["nodes"]["alpha"];
  EXPECT_EQ(alpha["state"], "unknown");
  for (const char* figure : {"received", "applied", "checkpoint"}) EXPECT_TRUE(alpha[figure].is_null());
  EXPECT_THAT(Hawser({"status"}).out, AllOf(HasSubstr("unknown"), HasSubstr(" ?  ")));
}

TEST_F(StatusAndWait, CheckSaysInOneLineWhatIsNotWell) {
  const ProgramResult result = Hawser({"status", "--check"});
  EXPECT_EQ(result.exit, 1);
  EXPECT_THAT(result.out, AllOf(HasSubstr("NOT OK: group test: "), HasSubstr("alpha docs unknown")));
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1);
}

TEST_F(StatusAndWait, CheckIsWellWhenAllAreLive) {
  FakeNode alpha(*LoadConfig(Path("hawser.yaml")), "alpha");
  // Under load the first reports may be too old when the second have come.
  ProgramResult result;
  EXPECT_TRUE(WaitUntil([&] {
    alpha.Report(ReplicaState::kLive, head_);
    charlie_->Report(ReplicaState::kLive, head_);
    result = Hawser({"status", "--check", "--max-lag", "10s"});
    return result.exit == 0;
  })) << result.out;
  EXPECT_THAT(result.out, HasSubstr("OK: group test, 1 primary and 1 copy on 2 nodes"));
}

TEST_F(StatusAndWait, CheckWithoutARelayIsNotKnown) {
  relay_->Signal(SIGKILL);
  ASSERT_TRUE(relay_->Wait());
  const ProgramResult result = Hawser({"status", "--check"});
  EXPECT_EQ(result.exit, 3);
  EXPECT_THAT(result.out, HasSubstr("NOT KNOWN: the relay at "));
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1);
}

TEST_F(StatusAndWait, AnotherGroupsRelayIsNotNoRelay) {
  ChangeConfig("group: test", "group: other");
  std::filesystem::create_directories(Path("charlie"));
  WriteFile("charlie/lock", "");  // so it is a state folder, which is read instead
  const ProgramResult result = Hawser({"status"});
  EXPECT_EQ(result.exit, 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr("serves group 'test'"), HasSubstr("is of group 'other'")));
  EXPECT_THAT(result.out, AllOf(HasSubstr("this group's relay does not answer"), HasSubstr("charlie")));
}

TEST_F(StatusAndWait, WatchShowsAgainAndAgainUntilInterrupted) {
  Process watch = StartHawser({"status", "--watch", "--interval", "20ms"}, Path("watch"));
  const auto times = [&] {
    const std::string text = Content(Path("watch"));
    int count = 0;
    for (auto at = text.find("group test"); at != std::string::npos; at = text.find("group test", at + 1))
      ++count;
    return count;
  };
  EXPECT_TRUE(WaitUntil([&] { return times() >= 3; }));
  watch.Signal(SIGINT);
  const auto exit = watch.Wait();
  ASSERT_TRUE(exit);
  EXPECT_EQ(*exit, 0);
}

TEST_F(StatusAndWait, WaitEndsWhenTheSecondaryHasAppliedEverything) {
  charlie_->Report(ReplicaState::kLive, head_);
  const ProgramResult result = Hawser({"wait"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("charlie: applied everything up to record " +
                                    std::to_string(head_.position.sequence.value)));
}

TEST_F(StatusAndWait, WaitGoesOnUntilThen) {
  Process wait = StartHawser({"wait"}, Path("wait"));
  for (int i = 0; i < 5; ++i) {
    charlie_->Report(ReplicaState::kCatchingUp, Progress());
    EXPECT_TRUE(wait.running()) << Content(Path("wait"));
  }
  charlie_->Report(ReplicaState::kLive, head_);
  const auto exit = wait.Wait();
  ASSERT_TRUE(exit);
  EXPECT_EQ(*exit, 0) << Content(Path("wait"));
}

TEST_F(StatusAndWait, WaitNamesWhoIsBehindWhenTimeIsOver) {
  const ProgramResult result = Hawser({"wait", "--timeout", "100ms"});
  EXPECT_EQ(result.exit, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("hawser: not everything"), HasSubstr("charlie by "), HasSubstr(" record")));
}

TEST_F(StatusAndWait, WaitGivesUpAtOnceOnADivergedNode) {
  charlie_->Report(ReplicaState::kDiverged, head_, "docs/a: somebody changed it");
  const ProgramResult result = Hawser({"wait"});
  EXPECT_EQ(result.exit, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("node charlie is diverged"), HasSubstr("docs/a: somebody changed it")));
}

TEST_F(StatusAndWait, WaitSaysItInJson) {
  auto late = json::parse(Hawser({"wait", "--json", "--timeout", "50ms"}).out, nullptr, false);
  EXPECT_EQ(late.value("reached", true), false);
  EXPECT_EQ(late["nodes"]["charlie"]["behind"], head_.position.sequence.value);
  charlie_->Report(ReplicaState::kLive, head_);
  auto there = json::parse(Hawser({"wait", "--json"}).out, nullptr, false);
  EXPECT_EQ(there.value("reached", false), true);
  EXPECT_EQ(there["nodes"]["charlie"]["behind"], 0);
}

TEST_F(StatusAndWait, WaitForAPrimaryByName) {
  const ProgramResult result = Hawser({"wait", "--node", "alpha", "--timeout", "100ms"});
  EXPECT_EQ(result.exit, 1);
  EXPECT_THAT(result.err, HasSubstr("alpha by "));
}

TEST_F(StatusAndWait, WaitSurvivesARestartOfTheRelay) {
  Process wait = StartHawser({"wait"}, Path("wait"));
  charlie_->Report(ReplicaState::kCatchingUp, Progress());
  relay_->Signal(SIGTERM);
  ASSERT_TRUE(relay_->Wait());
  EXPECT_TRUE(wait.running()) << Content(Path("wait"));
  relay_.emplace(StartHawser({"relay"}, Path("relay2.log")));
  charlie_->Report(ReplicaState::kLive, head_);
  const auto exit = wait.Wait();
  ASSERT_TRUE(exit);
  EXPECT_EQ(*exit, 0) << Content(Path("wait"));
}

TEST_F(StatusAndWait, RelayThatHasGoneIsSaidWithThree) {
  relay_->Signal(SIGKILL);
  ASSERT_TRUE(relay_->Wait());
  const ProgramResult result = Hawser({"status"});
  EXPECT_EQ(result.exit, 3);
  EXPECT_THAT(result.err, HasSubstr("does not answer"));
}

}  // namespace
}  // namespace hawser::test
