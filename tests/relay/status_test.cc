#include "relay/status.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hawser {
namespace {

using nlohmann::json;

JournalFacts SomeFacts() {
  JournalFacts facts;
  facts.head.position.sequence = Sequence(42);
  facts.head.position.group = Group(7);
  facts.volumes = {{VolumeName("docs"), NodeName("alpha"), Generation(3)}};
  return facts;
}

Progress At(std::uint64_t sequence) {
  Progress progress;
  progress.position.sequence = Sequence(sequence);
  return progress;
}

NodeStatus SomeNode() {
  NodeStatus node;
  node.node = NodeName("charlie");
  node.role = ReplicaRole::kSecondary;
  node.state = ReplicaState::kCatchingUp;
  node.received = At(41);
  node.applied = At(40);
  node.checkpoint = At(30);
  node.lag = Lag{2, 1000, std::chrono::milliseconds(1500)};
  node.volumes.push_back({VolumeName("docs"), ReplicaRole::kSecondary, ReplicaState::kCatchingUp,
                          node.applied, node.checkpoint, node.lag, ""});
  return node;
}

TEST(StatusJson, HasTheFieldsThatTheDesignNames) {
  const json status =
      json::parse(StatusJson("demo", {RelayState::kLive, "", 9000, 3}, SomeFacts(), {SomeNode()}));
  EXPECT_EQ(status["group"], "demo");
  EXPECT_EQ(status["relay"]["state"], "live");
  EXPECT_EQ(status["relay"]["head"], 42);
  EXPECT_EQ(status["relay"]["groups"], 7);
  EXPECT_EQ(status["relay"]["journal_bytes"], 9000);
  EXPECT_FALSE(status["relay"].contains("problem"));
  EXPECT_EQ(status["volumes"]["docs"]["primary"], "alpha");
  EXPECT_EQ(status["volumes"]["docs"]["generation"], 3);
  const json& node = status["nodes"]["charlie"];
  EXPECT_EQ(node["role"], "secondary");
  EXPECT_EQ(node["state"], "catching_up");
  EXPECT_EQ(node["received"], 41);
  EXPECT_EQ(node["applied"], 40);
  EXPECT_EQ(node["checkpoint"], 30);
  EXPECT_EQ(node["lag"]["records"], 2);
  EXPECT_EQ(node["lag"]["bytes"], 1000);
  EXPECT_EQ(node["lag"]["seconds"], 1.5);
  EXPECT_TRUE(node.contains("differences"));
  EXPECT_EQ(node["volumes"]["docs"]["applied"], 40);
}

TEST(StatusJson, FiguresThatAreNotKnownAreNull) {
  NodeStatus node;
  node.node = NodeName("charlie");
  node.volumes.push_back({});
  node.volumes.back().volume = VolumeName("docs");
  const json status = json::parse(StatusJson("demo", {}, SomeFacts(), {node}));
  const json& charlie = status["nodes"]["charlie"];
  for (const json& shown : {charlie, charlie["volumes"]["docs"]}) {
    EXPECT_EQ(shown["state"], "unknown");
    for (const char* figure : {"applied", "checkpoint"}) EXPECT_TRUE(shown[figure].is_null()) << figure;
    for (const char* figure : {"records", "bytes", "seconds"}) EXPECT_TRUE(shown["lag"][figure].is_null());
  }
  EXPECT_TRUE(charlie["received"].is_null());
}

TEST(StatusJson, ProblemsAreThereWhenThereAreAny) {
  NodeStatus node = SomeNode();
  node.problem = "disk";
  const json status =
      json::parse(StatusJson("demo", {RelayState::kJournalFailed, "broken", 0, 0}, SomeFacts(), {node}));
  EXPECT_EQ(status["relay"]["problem"], "broken");
  EXPECT_EQ(status["nodes"]["charlie"]["problem"], "disk");
}

TEST(StatusJson, BytesThatAreNotTextStillGiveValidJson) {
  NodeStatus node = SomeNode();
  node.problem = "the name '\xff\xfe' is wrong";
  EXPECT_TRUE(json::accept(StatusJson("d\xc3", {}, SomeFacts(), {node})));
}

TEST(RelayStatus, IsTheWorstOfWhatWasFound) {
  RelayEvidence found;
  EXPECT_EQ(Judge(found).state, RelayState::kLive);
  EXPECT_EQ(Judge(found).problem, "");
  found.damage = {{"1.hwj", 4096, "a flipped bit", Group(2), Group(3)}};
  EXPECT_EQ(Judge(found).state, RelayState::kJournalDamaged);
  found.holds_writers = true;
  EXPECT_EQ(Judge(found).state, RelayState::kHoldingWriters);
  found.missing = "3 records";
  EXPECT_EQ(Judge(found).state, RelayState::kWentBack);
  EXPECT_EQ(Judge(found).problem, "3 records");
  found.journal_failure = "an I/O error";
  EXPECT_EQ(Judge(found).state, RelayState::kJournalFailed);
  EXPECT_EQ(Judge(found).damage.size(), 1U) << "it is listed all the same";
}

}  // namespace
}  // namespace hawser
