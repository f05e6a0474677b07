// `hawser promote` against a real relay; the nodes are the test's.
#include <gmock/gmock.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/config/agreement.h"
#include "common/config/config.h"
#include "common/net/heartbeat.h"
#include "common/net/requester.h"
#include "tests/cli/program.h"

namespace hawser::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

const VolumeName kDocs("docs");

// A node that reports all the time, has applied everything, and does at once what the relay tells it: holds
// changes back, becomes primary, is one no more.
class FakeNode {
 public:
  FakeNode(const Config& config, const std::string& name, bool holds = true)
      : config_(config), name_(name), holds_(holds), thread_([this] { Run(); }) {}
  ~FakeNode() {
    stop_.store(true);
    thread_.join();
  }

 private:
  void Run() {
    NetContext context;
    Requester requester(context, config_.relay.ControlEndpoint());
    requester.set_resend_after(kSilentAfter / 2);
    Overview told;
    while (!stop_.load()) {
      const Buffer body = Encode(ReportAfter(told));
      const auto reply =
          requester.Request(MessageType::kReport, {body}, SteadyClock::now() + std::chrono::seconds(1));
      if (reply && reply->type() == MessageType::kOverview) told = *Decode<Overview>(reply->part(0));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  Report ReportAfter(const Overview& told) const {
    VolumeReport docs{kDocs, ReplicaRole::kSecondary, ReplicaState::kLive, told.head, told.head, ""};
    for (const VolumeFact& volume : told.volumes) {
      if (volume.volume != kDocs || volume.primary != name_) continue;
      docs.role = ReplicaRole::kPrimary;
      docs.generation = volume.generation;
    }
    for (const Hold& hold : told.holds) {
      if (hold.volume == kDocs && holds_) docs.held_for = hold.attempt;
    }
    return {{config_.group, name_, 0}, AgreementOf(config_), told.head, {docs}};
  }

  const Config config_;
  const NodeName name_;
  const bool holds_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

class Promoting : public ProgramTest {
 protected:
  void SetUp() override {
    WriteConfig();
    relay_.emplace(StartHawser({"relay"}, Path("relay.log")));
    ASSERT_TRUE(WaitUntil([&] { return Content(Path("relay.log")).find("ready: ") != std::string::npos; }))
        << Content(Path("relay.log"));
  }
  std::unique_ptr<FakeNode> Node(const std::string& name, bool holds = true) const {
    return std::make_unique<FakeNode>(*LoadConfig(Path("hawser.yaml")), name, holds);
  }
  json Parsed(const std::string& text) const { return json::parse(text, nullptr, false); }

  std::optional<Process> relay_;
};

TEST_F(Promoting, APlannedPromotionIsReported) {
  const auto alpha = Node("alpha");
  const auto charlie = Node("charlie");
  const ProgramResult result = Hawser({"promote", "charlie", "--json"});
  EXPECT_EQ(result.exit, 0) << result.err;
  const json done = Parsed(result.out);
  const json docs = done["volumes"]["docs"];
  EXPECT_EQ(docs["from"], "alpha");
  EXPECT_EQ(docs["to"], "charlie");
  EXPECT_EQ(docs["generation"], 2);
  EXPECT_EQ(docs["acknowledged"], 1);
  EXPECT_GE(docs["applied"], 1);
  EXPECT_EQ(docs["lost"], 0);
  EXPECT_EQ(docs["planned"], true);
  EXPECT_GT(done["seconds"], 0.0);

  const ProgramResult back = Hawser({"promote", "alpha", "docs"});
  EXPECT_EQ(back.exit, 0) << back.err;
  EXPECT_THAT(back.out,
              AllOf(HasSubstr("VOLUME  FROM     TO     GENERATION"), HasSubstr("docs    charlie  alpha"),
                    HasSubstr("planned\nnode alpha is primary of docs; after ")));
  const ProgramResult again = Hawser({"promote", "alpha"});
  EXPECT_EQ(again.exit, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("node alpha was primary already"));
}

TEST_F(Promoting, APrimaryThatDoesNotAnswerIsFailedOver) {
  const auto charlie = Node("charlie");
  const ProgramResult result = Hawser({"promote", "charlie", "--json"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_EQ(Parsed(result.out)["volumes"]["docs"]["planned"], false);
}

TEST_F(Promoting, WhatIsNotThereInTimeIsTakenBackAndTheAnswerIsNo) {
  const auto alpha = Node("alpha", /*holds=*/false);
  const auto charlie = Node("charlie");
  const ProgramResult result = Hawser({"promote", "charlie", "--timeout", "1s", "--json"});
  EXPECT_EQ(result.exit, 1);
  EXPECT_THAT(result.err,
              HasSubstr("node charlie was not promoted, alpha stays primary: after 1 s node alpha"));
  EXPECT_EQ(Parsed(result.out)["volumes"], json::object());
  EXPECT_THAT(std::string(Parsed(result.out)["error"]), HasSubstr("was not promoted"));
}

TEST_F(Promoting, ANodeThatIsAwayIsRefused) {
  const auto alpha = Node("alpha");
  const ProgramResult result = Hawser({"promote", "charlie"});
  EXPECT_EQ(result.exit, 1);
  EXPECT_THAT(result.err, HasSubstr("node charlie is not connected"));
  EXPECT_EQ(result.out, "");
}

// The command outlives the relay, and what was begun goes on under the same id.
TEST_F(Promoting, ARelayThatIsStartedAnewInBetweenGoesOn) {
  auto alpha = Node("alpha", /*holds=*/false);
  Process command = StartHawser({"promote", "charlie", "--json"}, Path("promoted"));
  const auto charlie = Node("charlie");
  ASSERT_TRUE(
      WaitUntil([&] { return Content(Path("relay.log")).find("charlie: live") != std::string::npos; }));
  relay_->Signal(SIGKILL);
  ASSERT_TRUE(relay_->Wait());
  relay_.emplace(StartHawser({"relay"}, Path("relay2.log")));
  alpha.reset();
  alpha = Node("alpha");
  const auto exit = command.Wait();
  ASSERT_TRUE(exit) << Content(Path("relay2.log"));
  EXPECT_EQ(*exit, 0) << Content(Path("promoted"));
  EXPECT_EQ(Parsed(Content(Path("promoted")))["volumes"]["docs"]["generation"], 2);
}

}  // namespace
}  // namespace hawser::test
