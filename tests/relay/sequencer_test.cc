#include "relay/sequencer.h"

#include <gtest/gtest.h>

#include <random>

#include "relay/limits.h"

namespace hawser {
namespace {

const NodeName kAlpha("alpha");
const NodeName kBravo("bravo");
const VolumeName kDocs("docs");
const VolumeName kMail("mail");

Membership Members() { return {{kAlpha, kBravo}, {kDocs, kMail}}; }

// A sequencer with the little words that scenarios are told in. alpha is the primary of docs, bravo of mail,
// and both have said hello with session 1.
class SequencerTest : public testing::Test {
 protected:
  SequencerTest() {
    for (const Record& record : sequencer_.MissingPrimaries({{kDocs, kAlpha}, {kMail, kBravo}}))
      sequencer_.OfferOwn(record);
    Cut();
    Hello(kAlpha, 1);
    Hello(kBravo, 1);
  }

  std::optional<Refusal> Hello(const NodeName& node, std::uint64_t session) {
    return sequencer_.Greet({node, session});
  }

  static Record With(const Origin& origin, const VolumeName& volume, std::uint64_t generation, Body body) {
    Record record;
    record.volume = volume;
    record.generation = Generation(generation);
    record.origin = origin;
    record.body = std::move(body);
    return record;
  }
  static Record Mutation(const NodeName& node, std::uint64_t session, std::uint32_t lane,
                         std::uint64_t number, const VolumeName& volume = kDocs,
                         std::uint64_t generation = 1) {
    return With({node, session, lane, number}, volume, generation, Truncate{});
  }

  Verdict Offer(const NodeName& node, std::uint64_t session, std::uint32_t lane, std::uint64_t number,
                const VolumeName& volume = kDocs, std::uint64_t generation = 1) {
    return sequencer_.Offer(Mutation(node, session, lane, number, volume, generation));
  }
  Verdict Offer(std::uint32_t lane, std::uint64_t number) { return Offer(kAlpha, 1, lane, number); }

  // Makes the group durable.
  std::vector<Ack> Cut() {
    Progress after = sequencer_.state().head;
    after.position.sequence.value += sequencer_.pending();
    after.position.group = Next(after.position.group);
    after.journal_bytes += 100;
    return sequencer_.Commit(after);
  }

  void Promote(const VolumeName& volume, const NodeName& node, std::uint64_t generation) {
    sequencer_.OfferOwn(With(Origin{NodeName("relay")}, volume, generation, hawser::Promote{node}));
    Cut();
  }

  Sequencer sequencer_{Members()};
};

void ExpectAccepted(const Verdict& decision, std::size_t index) {
  ASSERT_TRUE(std::holds_alternative<Accepted>(decision)) << std::get<Refusal>(decision).text;
  EXPECT_EQ(std::get<Accepted>(decision).index, index);
}

void ExpectRefused(const std::optional<Refusal>& refusal, RefusalCode code) {
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, code) << refusal->text;
  EXPECT_FALSE(refusal->text.empty());
}

void ExpectRefused(const Verdict& decision, RefusalCode code) {
  ASSERT_TRUE(std::holds_alternative<Refusal>(decision)) << decision.index();
  ExpectRefused(std::optional(std::get<Refusal>(decision)), code);
}

TEST_F(SequencerTest, TheFirstGroupMakesTheConfigsNodesPrimary) {
  const auto facts = sequencer_.VolumeFacts();
  ASSERT_EQ(facts.size(), 2U);
  EXPECT_EQ(facts[0], (VolumeFact{kDocs, kAlpha, Generation(1)}));
  EXPECT_EQ(facts[1], (VolumeFact{kMail, kBravo, Generation(1)}));
  EXPECT_EQ(sequencer_.state().head.position.sequence, Sequence(2));
}

TEST_F(SequencerTest, OnlyANewVolumeIsGivenAPrimary) {
  const auto missing = sequencer_.MissingPrimaries({{kDocs, kBravo}, {VolumeName("more"), kBravo}});
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0].volume, VolumeName("more"));
}

TEST_F(SequencerTest, RecordsAreNumberedInTheOrderTheyCameInAllVolumes) {
  ExpectAccepted(Offer(kAlpha, 1, 0, 1), 0);
  ExpectAccepted(Offer(kBravo, 1, 0, 1, kMail), 1);
  ExpectAccepted(Offer(kAlpha, 1, 1, 1), 2);
  const auto acks = Cut();
  ASSERT_EQ(acks.size(), 3U);
  for (std::size_t i = 0; i < acks.size(); ++i) {
    EXPECT_EQ(acks[i].sequence, Sequence(3 + i));
    EXPECT_EQ(acks[i].group.position.group, Group(2));
    EXPECT_EQ(acks[i].group.position.sequence, Sequence(5));
    EXPECT_FALSE(acks[i].repeated);
  }
}

TEST_F(SequencerTest, ARepetitionGetsTheSameAnswer) {
  Offer(0, 1);
  const auto acks = Cut();
  const Verdict again = Offer(0, 1);
  ASSERT_TRUE(std::holds_alternative<Repeated>(again));
  EXPECT_EQ(std::get<Repeated>(again).ack.sequence, acks[0].sequence);
  EXPECT_EQ(std::get<Repeated>(again).ack.group, acks[0].group);
  EXPECT_TRUE(std::get<Repeated>(again).ack.repeated);
  EXPECT_EQ(sequencer_.pending(), 0U);
}

TEST_F(SequencerTest, ARepetitionWithinTheGroupIsNotASecondRecord) {
  ExpectAccepted(Offer(0, 1), 0);
  ExpectAccepted(Offer(1, 1), 1);
  const Verdict again = Offer(0, 1);
  ASSERT_TRUE(std::holds_alternative<AlreadyPending>(again));
  EXPECT_EQ(std::get<AlreadyPending>(again).index, 0U);
  EXPECT_EQ(Cut().size(), 2U);
}

TEST_F(SequencerTest, NumbersOnlyGoUp) {
  ExpectRefused(Offer(0, 0), RefusalCode::kOutOfTurn);
  ExpectAccepted(Offer(0, 1), 0);
  ExpectRefused(Offer(0, 2), RefusalCode::kOutOfTurn);  // 1 is not answered yet
  Cut();
  ExpectAccepted(Offer(0, 2), 0);
  Cut();
  ExpectRefused(Offer(0, 1), RefusalCode::kOutOfTurn);
  ExpectAccepted(Offer(0, 4), 0);  // 3 was refused
  Cut();
  ExpectRefused(Offer(0, 3), RefusalCode::kOutOfTurn);
}

TEST_F(SequencerTest, WhatWasAbandonedStaysRefusedAndTheNextNumberIsTaken) {
  ExpectAccepted(Offer(0, 1), 0);
  ExpectAccepted(Offer(1, 1), 1);
  sequencer_.Abandon();
  ExpectRefused(Offer(0, 1), RefusalCode::kJournalFull);
  ExpectAccepted(Offer(0, 2), 0);
  ExpectRefused(Offer(1, 1), RefusalCode::kJournalFull);
  EXPECT_EQ(Cut().size(), 1U);
  ExpectRefused(Offer(0, 1), RefusalCode::kJournalFull);
}

TEST_F(SequencerTest, ANewSessionBeginsAnewAfterAnAbandonedGroup) {
  Offer(0, 1);
  sequencer_.Abandon();
  EXPECT_FALSE(Hello(kAlpha, 2));
  ExpectAccepted(Offer(kAlpha, 2, 0, 1), 0);
}

TEST_F(SequencerTest, StrangersAreRefused) {
  ExpectRefused(Offer(NodeName("mallory"), 1, 0, 1), RefusalCode::kUnknownNode);
  ExpectRefused(Offer(kAlpha, 1, 0, 1, VolumeName("attic")), RefusalCode::kUnknownVolume);
  ExpectRefused(Hello(NodeName("mallory"), 1), RefusalCode::kUnknownNode);
  EXPECT_EQ(sequencer_.pending(), 0U);
}

TEST_F(SequencerTest, OnlyThePrimaryInItsGenerationIsHeard) {
  ExpectRefused(Offer(kBravo, 1, 0, 1, kDocs), RefusalCode::kNotPrimary);
  ExpectRefused(Offer(kAlpha, 1, 0, 1, kDocs, 0), RefusalCode::kFenced);
  ExpectRefused(Offer(kAlpha, 1, 0, 1, kDocs, 2), RefusalCode::kNotPrimary);
}

TEST_F(SequencerTest, NodesCannotSendTheRelaysOwnRecords) {
  ExpectRefused(sequencer_.Offer(With({kAlpha, 1, 0, 1}, kDocs, 1, hawser::Promote{kAlpha})),
                RefusalCode::kBadMessage);
  ExpectRefused(sequencer_.Offer(With({kAlpha, 1, 0, 1}, kDocs, 1, Mark{"hi"})), RefusalCode::kBadMessage);
}

TEST_F(SequencerTest, AfterAPromotionTheOldPrimaryIsFenced) {
  Offer(0, 1);
  Cut();
  Promote(kDocs, kBravo, 2);
  ExpectRefused(Offer(kAlpha, 1, 1, 1), RefusalCode::kFenced);
  ExpectRefused(Offer(kAlpha, 1, 1, 1, kDocs, 2), RefusalCode::kNotPrimary);
  ExpectAccepted(Offer(kBravo, 1, 0, 1, kDocs, 2), 0);
}

TEST_F(SequencerTest, WhatTheOldPrimaryHadAcceptedIsStillAnsweredAfterAPromotion) {
  Offer(0, 1);
  const auto acks = Cut();
  Promote(kDocs, kBravo, 2);
  const Verdict again = Offer(0, 1);
  ASSERT_TRUE(std::holds_alternative<Repeated>(again));
  EXPECT_EQ(std::get<Repeated>(again).ack.sequence, acks[0].sequence);
}

TEST_F(SequencerTest, ANewSessionEndsTheOldOne) {
  Offer(kAlpha, 1, 0, 1);
  Cut();
  EXPECT_FALSE(Hello(kAlpha, 2));
  ExpectRefused(Offer(kAlpha, 1, 0, 1), RefusalCode::kOldSession);
  ExpectRefused(Offer(kAlpha, 1, 0, 2), RefusalCode::kOldSession);
  ExpectRefused(Hello(kAlpha, 1), RefusalCode::kOldSession);
  ExpectAccepted(Offer(kAlpha, 2, 0, 1), 0);
}

TEST_F(SequencerTest, ASessionThatNeverSaidHelloIsRefused) {
  ExpectRefused(Offer(kAlpha, 2, 0, 1), RefusalCode::kOutOfTurn);
}

TEST_F(SequencerTest, AHelloThatIsRepeatedKeepsTheLanes) {
  Offer(0, 1);
  Cut();
  EXPECT_FALSE(Hello(kAlpha, 1));
  EXPECT_TRUE(std::holds_alternative<Repeated>(Offer(0, 1)));
}

TEST_F(SequencerTest, WhatAnEndedSessionHasInTheGroupStaysAndDoesNotTouchTheNewOnesLanes) {
  ExpectAccepted(Offer(kAlpha, 1, 0, 1), 0);
  EXPECT_FALSE(Hello(kAlpha, 2));
  ExpectAccepted(Offer(kAlpha, 2, 0, 1), 1);
  EXPECT_EQ(Cut().size(), 2U);
  ExpectAccepted(Offer(kAlpha, 2, 0, 2), 0);
}

TEST_F(SequencerTest, TheNumberOfLanesIsBounded) {
  for (std::uint32_t lane = 0; lane < kMaxLanes; ++lane) Offer(lane, 1);
  Cut();
  ExpectRefused(Offer(kMaxLanes, 1), RefusalCode::kOutOfTurn);
  ExpectAccepted(Offer(0, 2), 0);
}

void ExpectSameState(const SequencerState& a, const SequencerState& b) {
  EXPECT_EQ(a.head, b.head);
  ASSERT_EQ(a.volumes.size(), b.volumes.size());
  for (const auto& [name, volume] : a.volumes) {
    EXPECT_EQ(volume.primary, b.volumes.at(name).primary);
    EXPECT_EQ(volume.generation, b.volumes.at(name).generation);
  }
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (const auto& [name, node] : a.nodes) {
    EXPECT_EQ(node.session, b.nodes.at(name).session);
    ASSERT_EQ(node.lanes.size(), b.nodes.at(name).lanes.size());
    for (const auto& [id, lane] : node.lanes) {
      EXPECT_EQ(lane.number, b.nodes.at(name).lanes.at(id).number);
      EXPECT_EQ(lane.ack.sequence, b.nodes.at(name).lanes.at(id).ack.sequence);
      EXPECT_EQ(lane.ack.group, b.nodes.at(name).lanes.at(id).ack.group);
    }
  }
}

// Random requests with repetitions, new sessions and promotions: what the journal holds leads to the same
// state, and no (session, lane, number) is in it twice.
TEST_F(SequencerTest, APrimaryShowsItselfInWhatIsLeftOfTheJournal) {
  Sequencer replayed(Members());
  Progress after;
  after.position.sequence = Sequence(41);
  after.position.group = Group(9);
  const std::vector<Record> left{With({kBravo, 7, 0, 3}, kDocs, 4, Truncate{})};
  replayed.Replay(left, after);
  EXPECT_TRUE(replayed.MissingPrimaries({{kDocs, kAlpha}}).empty());
  ASSERT_TRUE(replayed.state().volumes.contains(kDocs));
  EXPECT_EQ(replayed.state().volumes.at(kDocs).primary, kBravo);
  EXPECT_EQ(replayed.state().volumes.at(kDocs).generation, Generation(4));
}

TEST_F(SequencerTest, ReplayingTheJournalGivesTheSameState) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    Sequencer live(Members());
    Sequencer replayed(Members());
    std::vector<Record> group;
    std::set<std::tuple<std::string, std::uint64_t, std::uint32_t, std::uint64_t>> seen;
    const auto cut = [&] {
      if (group.empty()) return;
      Progress after = live.state().head;
      after.position.sequence.value += group.size();
      after.position.group = Next(after.position.group);
      ASSERT_EQ(live.Commit(after).size(), group.size());
      replayed.Replay(group, after);
      group.clear();
    };
    for (Record record : live.MissingPrimaries({{kDocs, kAlpha}, {kMail, kBravo}})) {
      live.OfferOwn(record);
      group.push_back(record);
    }
    cut();
    std::uint64_t sessions[2] = {1, 1};
    ASSERT_FALSE(live.Greet({kAlpha, 1}));
    ASSERT_FALSE(live.Greet({kBravo, 1}));
    for (int step = 0; step < 2000; ++step) {
      const unsigned who = random() % 2;
      const NodeName& node = who == 0 ? kAlpha : kBravo;
      if (random() % 100 == 0) {
        cut();
        ASSERT_FALSE(live.Greet({node, ++sessions[who]}));
      }
      const Record record =
          Mutation(node, sessions[who], random() % 3, 1 + random() % 20, who == 0 ? kDocs : kMail);
      if (std::holds_alternative<Accepted>(live.Offer(record))) {
        group.push_back(record);
        const Origin& origin = record.origin;
        ASSERT_TRUE(seen.emplace(origin.node.value, origin.session, origin.lane, origin.number).second)
            << seed;
      }
      if (random() % 4 == 0) cut();
    }
    cut();
    // A last word of both, so that the replayed one knows the newest sessions.
    for (const unsigned who : {0U, 1U}) {
      const NodeName& node = who == 0 ? kAlpha : kBravo;
      const Record last = Mutation(node, sessions[who], 9, 1, who == 0 ? kDocs : kMail);
      live.Offer(last);
      group.push_back(last);
    }
    cut();
    ExpectSameState(live.state(), replayed.state());
  }
}

}  // namespace
}  // namespace hawser
