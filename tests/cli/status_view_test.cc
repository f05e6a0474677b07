#include "cli/status_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawser::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Config TwoNodes() {
  const auto config = ParseConfig(
      "group: g\nrelay: { journal: r }\nvolumes: { v: { primary: alpha } }\n"
      "nodes: { alpha: { state: a, volumes: { v: { store: as, mount: am } } },"
      "         charlie: { state: c, volumes: { v: { store: cs, mount: cm } } } }\n",
      "/g.yaml");
  EXPECT_TRUE(config) << config.error().message;
  return config ? *config : Config();
}

TEST(StatusView, ReadsWhatTheRelaySays) {
  const Json json = Json::parse(
      R"({"group": "g", "relay": {"state": "live", "head": 12, "groups": 3, "journal_bytes": 4096},
    "nodes": {"charlie": {"role": "secondary", "state": "catching_up", "received": 11, "applied": 10,
      "lag": {"records": 2, "bytes": 100, "seconds": 0.5}, "differences": null, "problem": "slow disk",
      "volumes": {"v": {"role": "secondary", "state": "catching_up", "applied": 10,
        "lag": {"records": 2, "bytes": 100, "seconds": 0.5}, "problem": "slow disk"}}}}})");
  const StatusView view = ReadStatus(json, TwoNodes());
  EXPECT_EQ(view.head, 12u);
  EXPECT_EQ(view.relay_state, "live");
  const NodeView* charlie = view.Find("charlie");
  ASSERT_NE(charlie, nullptr);
  EXPECT_EQ(charlie->role, ReplicaRole::kSecondary);
  EXPECT_EQ(charlie->state, ReplicaState::kCatchingUp);
  EXPECT_EQ(charlie->applied, 10u);
  EXPECT_EQ(charlie->lag_seconds, 0.5);
  EXPECT_EQ(charlie->problem, "slow disk");
  ASSERT_EQ(charlie->volumes.size(), 1u);
  EXPECT_EQ(charlie->volumes[0].name, "v");
  EXPECT_EQ(charlie->volumes[0].state, ReplicaState::kCatchingUp);
  EXPECT_EQ(charlie->volumes[0].lag_seconds, 0.5);
}

TEST(StatusView, WhatIsMissingIsUnknownNotFine) {
  for (const char* text :
       {"{}", R"({"relay": 5, "nodes": []})",
        R"({"nodes": {"charlie": {"state": "fine", "role": 1, "applied": "many", "lag": 7}}})"}) {
    const StatusView view = ReadStatus(Json::parse(text), TwoNodes());
    EXPECT_EQ(view.head, std::nullopt);
    const NodeView* charlie = view.Find("charlie");
    ASSERT_NE(charlie, nullptr) << "a node of the config is always there";
    EXPECT_EQ(charlie->state, ReplicaState::kUnknown);
    EXPECT_EQ(charlie->role, std::nullopt);
    EXPECT_EQ(charlie->applied, std::nullopt);
    ASSERT_EQ(charlie->volumes.size(), 1u) << "so is each of its volumes";
    EXPECT_EQ(charlie->volumes[0].state, ReplicaState::kUnknown);
  }
}

TEST(StatusView, AVolumeOfTheConfigThatTheRelayDoesNotNameMakesItsNodeUnknown) {
  const Json json = Json::parse(R"({"nodes": {"charlie": {"state": "live", "volumes": {}}}})");
  EXPECT_EQ(ReadStatus(json, TwoNodes()).Find("charlie")->state, ReplicaState::kUnknown);
}

TEST(StatusView, SaysWhereTheConfigNamesAnotherPrimaryThanTheJournal) {
  EXPECT_THAT(ReadStatus(Json::parse(R"({"volumes": {"v": {"primary": "alpha"}}})"), TwoNodes()).notes,
              IsEmpty());
  EXPECT_THAT(
      ReadStatus(Json::parse(R"({"volumes": {"v": {"primary": "charlie"}}})"), TwoNodes()).notes,
      ElementsAre(HasSubstr("the config names alpha as its primary, and by the journal it is charlie")));
}

TEST(StatusView, SaysWhereThePrimaryIsNoNodeOfTheConfig) {
  const StatusView view = ReadStatus(Json::parse(R"({"volumes": {"v": {"primary": "gone"}}})"), TwoNodes());
  EXPECT_THAT(view.without_primary, ElementsAre("v"));
  EXPECT_THAT(view.notes,
              ElementsAre(HasSubstr("nobody can write, since by the journal its primary is gone")));
}

TEST(StatusView, SecondariesFollowThePromotionsThatTheRelayKnows) {
  EXPECT_THAT(Secondaries(Json::object(), TwoNodes()), ElementsAre("charlie"));
  EXPECT_THAT(Secondaries(Json::parse(R"({"volumes": {"v": {"primary": "charlie"}}})"), TwoNodes()),
              ElementsAre("alpha"));
}

}  // namespace
}  // namespace hawser::cli
