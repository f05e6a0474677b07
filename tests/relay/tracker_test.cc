#include "relay/tracker.h"

#include <gtest/gtest.h>

namespace hawser {
namespace {

using namespace std::chrono_literals;

const NodeName kAlpha("alpha");
const NodeName kBravo("bravo");
const NodeName kCharlie("charlie");
const VolumeName kDocs("docs");
const VolumeName kMail("mail");

constexpr auto kSilence = 2s;
constexpr auto kPatience = 5s;
constexpr std::uint64_t kPlenty = 1000;
constexpr std::int64_t kSecond = 1'000'000'000;

// A journal where group g has sequence 10 g, ends at byte 100 g and was cut at second g; every 10th group is
// a milestone. alpha holds docs, bravo mail, charlie both.
class TrackerTest : public testing::Test {
 protected:
  TrackerTest() {
    facts_.volumes = {{kDocs, kAlpha, Generation(1)}, {kMail, kBravo, Generation(1)}};
    Journal(0, 100);
  }

  static Progress At(std::uint64_t group) {
    Progress progress;
    progress.position.journal.bytes.fill(std::byte{1});
    progress.position.sequence = Sequence(10 * group);
    progress.position.group = Group(group);
    progress.journal_bytes = 100 * group;
    progress.time = Timestamp{static_cast<std::int64_t>(group) * kSecond};
    return progress;
  }

  void Journal(std::uint64_t oldest, std::uint64_t head) {
    facts_.oldest = At(oldest);
    facts_.head = At(head);
    facts_.milestones.clear();
    for (std::uint64_t group = 10; group <= head; group += 10) facts_.milestones.push_back(At(group));
  }

  static std::map<NodeName, NodeConfig> Nodes() {
    std::map<NodeName, NodeConfig> nodes;
    nodes[kAlpha].volumes[kDocs];
    nodes[kBravo].volumes[kMail];
    nodes[kCharlie].volumes[kDocs];
    nodes[kCharlie].volumes[kMail];
    nodes[NodeName("empty")];
    return nodes;
  }

  Tracker Make(RetentionRules rules) {
    Tracker tracker(Nodes(), {kSilence, kPatience, now_}, rules);
    tracker.Remember(facts_, wall_, now_);
    return tracker;
  }
  Tracker Make() { return Make({1000, std::chrono::seconds(1000), WhenFull::kDropSlowest, 100}); }

  static VolumeReport Replica(const VolumeName& volume, std::uint64_t applied, std::uint64_t checkpoint,
                              ReplicaState state = ReplicaState::kLive) {
    return {volume, ReplicaRole::kSecondary, state, At(applied), At(checkpoint), ""};
  }
  void Hear(Tracker& tracker, const NodeName& node, std::vector<VolumeReport> volumes,
            std::uint64_t session = 1) {
    tracker.Heard({{"demo", node, session}, 0, At(100), std::move(volumes)}, now_);
  }
  // All three with these checkpoints.
  void HearAll(Tracker& tracker, std::uint64_t alpha, std::uint64_t bravo, std::uint64_t charlie) {
    Hear(tracker, kAlpha, {Replica(kDocs, 100, alpha)});
    Hear(tracker, kBravo, {Replica(kMail, 100, bravo)});
    Hear(tracker, kCharlie, {Replica(kDocs, 100, charlie), Replica(kMail, 100, charlie)});
  }
  RetentionDecision Decide(Tracker& tracker, std::uint64_t free_bytes) {
    return tracker.Decide(facts_, wall_, now_, free_bytes);
  }
  static std::vector<ReplicaName> Both(const NodeName& node) { return {{node, kDocs}, {node, kMail}}; }
  NodeStatus StatusOf(const Tracker& tracker, const NodeName& node) {
    for (NodeStatus& status : tracker.Status(facts_, now_)) {
      if (status.node == node) return std::move(status);
    }
    ADD_FAILURE() << node.value << " is missing";
    return {};
  }

  JournalFacts facts_;
  Deadline now_ = Deadline() + 1h;
  const Timestamp wall_{100 * kSecond};
};

TEST_F(TrackerTest, NodesWithoutVolumesAreNotMembers) {
  const Tracker tracker = Make();
  EXPECT_TRUE(tracker.IsMember(kAlpha));
  EXPECT_FALSE(tracker.IsMember(NodeName("empty")));
  EXPECT_FALSE(tracker.IsMember(NodeName("mallory")));
  EXPECT_EQ(tracker.Status(facts_, now_).size(), 3U);
}

TEST_F(TrackerTest, OfANodeNeverHeardOfNothingIsKnown) {
  const NodeStatus alpha = StatusOf(Make(), kAlpha);
  EXPECT_EQ(alpha.state, ReplicaState::kUnknown);
  EXPECT_EQ(alpha.role, ReplicaRole::kPrimary);
  EXPECT_EQ(alpha.received, std::nullopt);
  EXPECT_EQ(alpha.applied, std::nullopt);
  EXPECT_EQ(alpha.checkpoint, std::nullopt);
  EXPECT_FALSE(alpha.lag);
  EXPECT_EQ(alpha.problem, "not heard of since the relay was started");
}

TEST_F(TrackerTest, ALateCopyOfAReportIsIgnored) {
  Tracker tracker = Make();
  HearAll(tracker, 90, 90, 90);
  Hear(tracker, kCharlie, {Replica(kDocs, 80, 20), Replica(kMail, 80, 20)});
  EXPECT_EQ(StatusOf(tracker, kCharlie).checkpoint, At(90));
  EXPECT_EQ(StatusOf(tracker, kCharlie).state, ReplicaState::kLive);
  // Made when it had no checkpoint yet, in no journal.
  Hear(tracker, kCharlie,
       {{kDocs, ReplicaRole::kSecondary, ReplicaState::kLive, {}, {}, ""},
        {kMail, ReplicaRole::kSecondary, ReplicaState::kLive, {}, {}, ""}});
  EXPECT_EQ(StatusOf(tracker, kCharlie).checkpoint, At(90));
  // A new session begins where its disks are.
  Hear(tracker, kCharlie, {Replica(kDocs, 80, 70), Replica(kMail, 80, 70)}, 2);
  EXPECT_EQ(StatusOf(tracker, kCharlie).checkpoint, At(70));
}

TEST_F(TrackerTest, LagIsHeadMinusApplied) {
  Tracker tracker = Make();
  Hear(tracker, kCharlie, {Replica(kDocs, 97, 90), Replica(kMail, 100, 95)});
  const NodeStatus charlie = StatusOf(tracker, kCharlie);
  EXPECT_EQ(charlie.state, ReplicaState::kLive);
  EXPECT_EQ(charlie.role, ReplicaRole::kSecondary);
  EXPECT_EQ(charlie.applied, At(97));
  EXPECT_EQ(charlie.checkpoint, At(90));
  EXPECT_EQ(charlie.lag->records, 30U);
  EXPECT_EQ(charlie.lag->bytes, 300U);
  ASSERT_EQ(charlie.volumes.size(), 2U);
  EXPECT_EQ(charlie.volumes[1].lag->records, 0U);
  EXPECT_EQ(charlie.volumes[1].lag->time, 0s);
}

TEST_F(TrackerTest, LagInSecondsGoesOnWhileWritersPause) {
  Tracker tracker = Make();
  HearAll(tracker, 90, 90, 90);
  now_ += 1h;  // nobody writes
  EXPECT_EQ(StatusOf(tracker, kCharlie).lag->time, 0s);
  facts_.head = At(101);
  tracker.HeadIs(facts_.head, now_);
  EXPECT_EQ(StatusOf(tracker, kCharlie).lag->time, 0s);  // not the hour before the write
  now_ += 7s;
  tracker.HeadIs(facts_.head, now_);
  EXPECT_EQ(StatusOf(tracker, kCharlie).lag->time, 7s);
  now_ += 53s;
  EXPECT_EQ(StatusOf(tracker, kCharlie).lag->time, 60s);
  Hear(tracker, kCharlie, {Replica(kDocs, 101, 90), Replica(kMail, 101, 90)});
  EXPECT_EQ(StatusOf(tracker, kCharlie).lag->time, 0s);
}

// What the journal tells of the time before the relay's start. alpha stands at second 50; the journal's
// milestone after that is of second 60, and now it is second 100.
TEST_F(TrackerTest, LagInSecondsOutlivesARestartOfTheRelay) {
  Tracker tracker = Make();
  Hear(tracker, kAlpha, {Replica(kDocs, 50, 50)});
  EXPECT_EQ(StatusOf(tracker, kAlpha).lag->time, 40s);
}

TEST_F(TrackerTest, AReplicaAheadOfWhatTheRelayKnowsHasNoNegativeLag) {
  Tracker tracker = Make();
  Hear(tracker, kAlpha, {Replica(kDocs, 101, 90)});
  const NodeStatus alpha = StatusOf(tracker, kAlpha);
  EXPECT_EQ(alpha.lag->records, 0U);
  EXPECT_EQ(alpha.lag->time, 0s);
}

TEST_F(TrackerTest, ASilentNodeIsDisconnectedAndOneThatReportsAgainIsNot) {
  Tracker tracker = Make();
  Hear(tracker, kAlpha, {Replica(kDocs, 100, 100)});
  now_ += kSilence;
  EXPECT_EQ(StatusOf(tracker, kAlpha).state, ReplicaState::kLive);
  now_ += 1ms;
  EXPECT_EQ(StatusOf(tracker, kAlpha).state, ReplicaState::kDisconnected);
  Hear(tracker, kAlpha, {Replica(kDocs, 100, 100)});
  EXPECT_EQ(StatusOf(tracker, kAlpha).state, ReplicaState::kLive);
}

TEST_F(TrackerTest, ANodeIsAsBadAsItsWorstVolumeAndSaysWhy) {
  Tracker tracker = Make();
  VolumeReport mail = Replica(kMail, 50, 50, ReplicaState::kDiverged);
  mail.problem = "somebody changed 'x'";
  Hear(tracker, kCharlie, {Replica(kDocs, 100, 100, ReplicaState::kCatchingUp), mail});
  NodeStatus charlie = StatusOf(tracker, kCharlie);
  EXPECT_EQ(charlie.state, ReplicaState::kDiverged);
  EXPECT_EQ(charlie.problem, "somebody changed 'x'");
  now_ += 1min;
  charlie = StatusOf(tracker, kCharlie);
  EXPECT_EQ(charlie.state, ReplicaState::kDiverged);
  EXPECT_EQ(charlie.volumes[0].state, ReplicaState::kDisconnected);
}

TEST_F(TrackerTest, ADivergedVolumeIsWorseThanAStalledOne) {
  Tracker tracker = Make();
  Hear(tracker, kCharlie,
       {Replica(kDocs, 100, 100, ReplicaState::kDiverged), Replica(kMail, 100, 100, ReplicaState::kStalled)});
  EXPECT_EQ(StatusOf(tracker, kCharlie).state, ReplicaState::kDiverged);
}

TEST_F(TrackerTest, ReportsOfAnEndedSessionAreIgnored) {
  Tracker tracker = Make();
  Hear(tracker, kAlpha, {Replica(kDocs, 100, 100)}, 2);
  Hear(tracker, kAlpha, {Replica(kDocs, 10, 10)}, 1);
  EXPECT_EQ(StatusOf(tracker, kAlpha).applied, At(100));
}

TEST_F(TrackerTest, OfAVolumeThatANodeDoesNotReportNothingIsKnown) {
  Tracker tracker = Make();
  Hear(tracker, kCharlie, {Replica(kDocs, 100, 100)});
  const NodeStatus charlie = StatusOf(tracker, kCharlie);
  EXPECT_EQ(charlie.state, ReplicaState::kUnknown);
  EXPECT_EQ(charlie.applied, std::nullopt);
  EXPECT_EQ(charlie.problem, "the node does not report this volume");
  EXPECT_EQ(charlie.volumes[0].state, ReplicaState::kLive);
  EXPECT_EQ(charlie.volumes[1].state, ReplicaState::kUnknown);
}

TEST_F(TrackerTest, TheProblemOfANodeIsThatOfItsWorstVolume) {
  Tracker tracker = Make();
  VolumeReport docs = Replica(kDocs, 100, 100, ReplicaState::kStalled);
  docs.problem = "no room";
  VolumeReport mail = Replica(kMail, 100, 100, ReplicaState::kUnmounted);
  mail.problem = "somebody unmounted it";
  Hear(tracker, kCharlie, {docs, mail});
  EXPECT_EQ(StatusOf(tracker, kCharlie).state, ReplicaState::kUnmounted);
  EXPECT_EQ(StatusOf(tracker, kCharlie).problem, "somebody unmounted it");
  now_ += 1min;
  EXPECT_EQ(StatusOf(tracker, kCharlie).state, ReplicaState::kDisconnected);
  EXPECT_EQ(StatusOf(tracker, kCharlie).volumes[0].problem,
            "not heard of for 60.0 s: it is cut off, stopped or hangs; before: no room");
}

TEST_F(TrackerTest, AReplicaOfAnotherJournalIsDivergedAndHoldsEverything) {
  Tracker tracker = Make({0, 0s, WhenFull::kDropSlowest, 100});
  HearAll(tracker, 100, 100, 100);
  VolumeReport docs = Replica(kDocs, 100, 100);
  docs.applied.position.journal.bytes.fill(std::byte{2});
  docs.checkpoint = docs.applied;
  Hear(tracker, kAlpha, {docs});
  EXPECT_EQ(StatusOf(tracker, kAlpha).state, ReplicaState::kDiverged);
  EXPECT_FALSE(StatusOf(tracker, kAlpha).lag);
  EXPECT_FALSE(Decide(tracker, kPlenty).drop_through);
}

TEST_F(TrackerTest, NothingGoesBeforeEverybodyHasBeenHeardOf) {
  Tracker tracker = Make({0, 0s, WhenFull::kDropSlowest, 100});
  Hear(tracker, kAlpha, {Replica(kDocs, 100, 100)});
  Hear(tracker, kBravo, {Replica(kMail, 100, 100)});
  EXPECT_FALSE(Decide(tracker, kPlenty).drop_through);
}

TEST_F(TrackerTest, TheLowestCheckpointBoundsWhatGoes) {
  Tracker tracker = Make({0, 0s, WhenFull::kDropSlowest, 100});
  HearAll(tracker, 100, 75, 93);
  EXPECT_EQ(Decide(tracker, kPlenty).drop_through, Group(70));
}

TEST_F(TrackerTest, ASilentNodesLastCheckpointStillHolds) {
  Tracker tracker = Make({0, 0s, WhenFull::kDropSlowest, 100});
  HearAll(tracker, 100, 100, 25);
  now_ += 24h;
  EXPECT_EQ(Decide(tracker, kPlenty).drop_through, Group(20));
}

TEST_F(TrackerTest, TheSizeToKeepIsKept) {
  Tracker tracker = Make({3000, std::chrono::hours(1), WhenFull::kDropSlowest, 100});
  HearAll(tracker, 100, 100, 100);
  EXPECT_EQ(Decide(tracker, kPlenty).drop_through, Group(70));
}

TEST_F(TrackerTest, WhatIsOlderThanTheTimeToKeepGoes) {
  Tracker tracker = Make({1'000'000, 35s, WhenFull::kDropSlowest, 100});
  HearAll(tracker, 100, 100, 100);
  EXPECT_EQ(Decide(tracker, kPlenty).drop_through, Group(60));
}

TEST_F(TrackerTest, WithinSizeAndTimeNothingGoes) {
  Tracker tracker = Make({1'000'000, std::chrono::hours(1), WhenFull::kDropSlowest, 100});
  HearAll(tracker, 100, 100, 100);
  const auto decision = Decide(tracker, kPlenty);
  EXPECT_FALSE(decision.drop_through);
  EXPECT_FALSE(decision.hold_writers);
}

TEST_F(TrackerTest, ShortOfRoomWhatNobodyNeedsGoesFirst) {
  Tracker tracker = Make({1'000'000, std::chrono::hours(1), WhenFull::kHoldWriters, 100});
  HearAll(tracker, 100, 100, 45);
  const auto decision = Decide(tracker, 80);
  EXPECT_EQ(decision.drop_through, Group(40));
  EXPECT_FALSE(decision.hold_writers);
  EXPECT_TRUE(decision.dropped.empty());
}

TEST_F(TrackerTest, ShortOfRoomTheSlowestIsGivenUpIfThatIsThePolicy) {
  Tracker tracker = Make({0, 0s, WhenFull::kDropSlowest, 100});
  HearAll(tracker, 95, 92, 5);
  const auto decision = Decide(tracker, 80);
  EXPECT_EQ(decision.drop_through, Group(90));
  EXPECT_EQ(decision.dropped, Both(kCharlie));
  EXPECT_FALSE(decision.hold_writers);

  Journal(90, 100);
  const NodeStatus charlie = StatusOf(tracker, kCharlie);
  EXPECT_EQ(charlie.state, ReplicaState::kNeedsSync);
  EXPECT_FALSE(charlie.problem.empty());
}

TEST_F(TrackerTest, ANodeNeverHeardOfIsGivenUpOnceItHasHadItsTimeToReport) {
  Tracker tracker = Make({0, 0s, WhenFull::kDropSlowest, 100});
  Hear(tracker, kAlpha, {Replica(kDocs, 100, 95)});
  Hear(tracker, kBravo, {Replica(kMail, 100, 95)});
  now_ += kPatience;
  auto decision = Decide(tracker, 80);
  EXPECT_TRUE(decision.dropped.empty());
  EXPECT_FALSE(decision.drop_through);
  EXPECT_TRUE(decision.hold_writers);
  now_ += 1ms;
  decision = Decide(tracker, 80);
  EXPECT_EQ(decision.dropped, Both(kCharlie));
  EXPECT_EQ(decision.drop_through, Group(90));
  Journal(90, 100);
  EXPECT_EQ(StatusOf(tracker, kCharlie).state, ReplicaState::kNeedsSync);
  // It no longer holds anything back.
  Journal(90, 200);
  HearAll(tracker, 150, 150, 5);
  EXPECT_EQ(Decide(tracker, kPlenty).drop_through, Group(150));
}

TEST_F(TrackerTest, APrimaryIsNeverGivenUp) {
  Tracker tracker = Make({0, 0s, WhenFull::kDropSlowest, 100});
  Hear(tracker, kBravo, {Replica(kMail, 100, 95)});
  Hear(tracker, kCharlie, {Replica(kDocs, 100, 95), Replica(kMail, 100, 95)});
  now_ += 24h;
  auto decision = Decide(tracker, 80);
  EXPECT_TRUE(decision.dropped.empty());
  EXPECT_FALSE(decision.drop_through);
  EXPECT_TRUE(decision.hold_writers);
  // It was only slow to come back.
  Hear(tracker, kAlpha, {Replica(kDocs, 95, 92)});
  decision = Decide(tracker, 80);
  EXPECT_EQ(decision.drop_through, Group(90));
  EXPECT_TRUE(decision.dropped.empty());
}

// However far everybody else is: after a crash it redoes from there. Held writers would keep it from its next
// checkpoint.
TEST_F(TrackerTest, APrimaryWhoseCheckpointIsTheOldestIsNotGivenUpNorHeld) {
  Tracker tracker = Make({0, 0s, WhenFull::kDropSlowest, 100});
  HearAll(tracker, 5, 95, 95);
  auto decision = Decide(tracker, 80);
  EXPECT_TRUE(decision.dropped.empty());
  EXPECT_FALSE(decision.drop_through);
  EXPECT_FALSE(decision.hold_writers);
  EXPECT_TRUE(Decide(tracker, 40).hold_writers);
  HearAll(tracker, 100, 95, 95);  // its next checkpoint
  decision = Decide(tracker, 80);
  EXPECT_TRUE(decision.dropped.empty());
  EXPECT_EQ(decision.drop_through, Group(90));
}

TEST_F(TrackerTest, OnlyTheVolumeThatIsBehindIsGivenUp) {
  Tracker tracker = Make({0, 0s, WhenFull::kDropSlowest, 100});
  HearAll(tracker, 95, 92, 95);
  Hear(tracker, kCharlie, {Replica(kDocs, 100, 95), Replica(kMail, 100, 5)}, 2);
  EXPECT_EQ(Decide(tracker, 80).dropped, (std::vector<ReplicaName>{{kCharlie, kMail}}));
  Journal(90, 100);
  const NodeStatus charlie = StatusOf(tracker, kCharlie);
  EXPECT_EQ(charlie.state, ReplicaState::kNeedsSync);
  EXPECT_EQ(charlie.volumes[0].state, ReplicaState::kLive);
  EXPECT_EQ(charlie.volumes[1].state, ReplicaState::kNeedsSync);
}

// charlie has got mail only just: what it has of docs is kept for it all the same.
TEST_F(TrackerTest, AVolumeThatNeedsASyncTakesNothingFromTheNodesOthers) {
  Tracker tracker = Make({0, 0s, WhenFull::kDropSlowest, 100});
  Journal(60, 100);
  HearAll(tracker, 100, 100, 100);
  Hear(tracker, kCharlie, {Replica(kDocs, 100, 75), Replica(kMail, 0, 0)}, 2);
  EXPECT_EQ(Decide(tracker, kPlenty).drop_through, Group(70));
  EXPECT_EQ(StatusOf(tracker, kCharlie).volumes[0].state, ReplicaState::kLive);
}

TEST_F(TrackerTest, ANodeThatHasBeenSyncedHoldsAgain) {
  Tracker tracker = Make({0, 0s, WhenFull::kDropSlowest, 100});
  HearAll(tracker, 95, 92, 5);
  static_cast<void>(Decide(tracker, 80));
  Journal(90, 200);
  HearAll(tracker, 190, 190, 101);
  EXPECT_EQ(StatusOf(tracker, kCharlie).state, ReplicaState::kLive);
  EXPECT_EQ(Decide(tracker, kPlenty).drop_through, Group(100));
}

TEST_F(TrackerTest, ShortOfRoomWritersAreHeldIfThatIsThePolicy) {
  Tracker tracker = Make({0, 0s, WhenFull::kHoldWriters, 100});
  HearAll(tracker, 95, 92, 5);
  auto decision = Decide(tracker, 80);
  EXPECT_TRUE(decision.hold_writers);
  EXPECT_FALSE(decision.drop_through);
  EXPECT_TRUE(decision.dropped.empty());
  HearAll(tracker, 95, 92, 45);
  decision = Decide(tracker, 80);
  EXPECT_FALSE(decision.hold_writers);
  EXPECT_EQ(decision.drop_through, Group(40));
  decision = Decide(tracker, kPlenty);
  EXPECT_FALSE(decision.hold_writers);
}

TEST_F(TrackerTest, TheOnlyReplicaThatHasTheDataIsNeverGivenUp) {
  // Nobody has checkpointed anything: giving up any would lose acknowledged data.
  Tracker tracker = Make({0, 0s, WhenFull::kDropSlowest, 100});
  HearAll(tracker, 0, 0, 0);
  auto decision = Decide(tracker, 80);
  EXPECT_TRUE(decision.hold_writers);
  EXPECT_TRUE(decision.dropped.empty());
  EXPECT_FALSE(decision.drop_through);
  // charlie alone is up to date: it can't go, and primaries don't.
  HearAll(tracker, 0, 0, 60);
  decision = Decide(tracker, 80);
  EXPECT_FALSE(decision.drop_through);
  EXPECT_TRUE(decision.dropped.empty());
  HearAll(tracker, 60, 60, 60);
  decision = Decide(tracker, 80);
  EXPECT_EQ(decision.drop_through, Group(60));
  EXPECT_TRUE(decision.dropped.empty());
}

TEST_F(TrackerTest, GivingUpANodeThatFreesNothingIsNotDone) {
  Tracker tracker = Make({0, 0s, WhenFull::kDropSlowest, 100});
  Journal(90, 99);  // the only milestone after the oldest would be 100
  HearAll(tracker, 95, 95, 91);
  const auto decision = Decide(tracker, 80);
  EXPECT_TRUE(decision.dropped.empty());
  EXPECT_TRUE(decision.hold_writers);
}

TEST_F(TrackerTest, NearlyWithoutRoomWritersAreHeldWhileTheRoomIsMade) {
  Tracker tracker = Make({0, 0s, WhenFull::kDropSlowest, 100});
  HearAll(tracker, 95, 92, 45);
  const auto decision = Decide(tracker, 40);
  EXPECT_EQ(decision.drop_through, Group(40));
  EXPECT_TRUE(decision.hold_writers);
}

}  // namespace
}  // namespace hawser
