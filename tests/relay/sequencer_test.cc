#include "relay/sequencer.h"

#include <gtest/gtest.h>

#include <random>

#include "common/net/limits.h"

namespace hawser {
namespace {

const NodeName kAlpha("alpha");
const NodeName kBravo("bravo");
const VolumeName kDocs("docs");
const VolumeName kMail("mail");

Membership Members() { return {{kAlpha, kBravo}, {kDocs, kMail}}; }

// A sequencer with the little words that scenarios are told in. alpha is the primary of docs, bravo of mail,
// and both have said hello: alpha has session 1, bravo 2.
class SequencerTest : public testing::Test {
 protected:
  SequencerTest() {
    for (const Record& record : sequencer_.MissingPrimaries({{kDocs, kAlpha}, {kMail, kBravo}}))
      sequencer_.OfferOwn(record);
    Hello(kAlpha, 1);
    Hello(kBravo, 1);
    Cut();
  }

  static hawser::Hello HelloOf(const NodeName& node, std::uint64_t start, std::uint64_t folder = 1) {
    hawser::Hello hello;
    hello.node = node;
    hello.start = start;
    hello.incarnation = folder;
    return hello;
  }
  Greeting Hello(const NodeName& node, std::uint64_t start) {
    return sequencer_.Greet(HelloOf(node, start), false);
  }

  static Record With(const Origin& origin, const VolumeName& volume, std::uint64_t generation, Body body) {
    Record record;
    record.volume = volume;
    record.generation = Generation(generation);
    record.origin = origin;
    record.body = std::move(body);
    return record;
  }
  static Record Mutation(const NodeName& node, std::uint64_t session, std::uint64_t number,
                         const VolumeName& volume = kDocs, std::uint64_t generation = 1) {
    return With({node, session, number}, volume, generation, Truncate{});
  }

  // A batch of one.
  Ruling Offer(const Record& record) {
    return sequencer_.Offer(std::span(&record, 1), AfterAnswers(record)).front();
  }
  Ruling Offer(const NodeName& node, std::uint64_t session, std::uint64_t number,
               const VolumeName& volume = kDocs, std::uint64_t generation = 1) {
    return Offer(Mutation(node, session, number, volume, generation));
  }
  Ruling Offer(std::uint64_t number) { return Offer(kAlpha, 1, number); }
  // Numbers `first` to `last` of alpha.
  std::vector<Ruling> OfferBatch(std::uint64_t first, std::uint64_t last,
                                 const std::vector<std::uint32_t>& cuts = {}) {
    std::vector<Record> records;
    for (std::uint64_t number = first; number <= last; ++number)
      records.push_back(Mutation(kAlpha, 1, number));
    return sequencer_.Offer(records, AfterAnswers(records.front(), cuts));
  }
  // A batch that begins with `first` and has nothing under way ahead of it.
  static Batch AfterAnswers(const Record& first, const std::vector<std::uint32_t>& cuts = {}) {
    return {cuts, first.origin.number - 1};
  }

  // The states after the groups of the formation.
  static std::vector<Progress> After(const Sequencer& sequencer) {
    std::vector<Progress> after;
    Progress head = sequencer.state().head;
    for (const std::size_t size : sequencer.pending()) {
      head.position.sequence.value += size;
      head.position.group = Next(head.position.group);
      head.journal_bytes += 100;
      after.push_back(head);
    }
    return after;
  }

  // Makes the groups durable; the answers one after the other.
  std::vector<Ack> Cut() {
    std::vector<Ack> all;
    for (const auto& group : sequencer_.Commit(After(sequencer_)))
      all.insert(all.end(), group.begin(), group.end());
    return all;
  }

  void Promote(const VolumeName& volume, const NodeName& node, std::uint64_t generation) {
    sequencer_.OfferOwn(With(OriginOfTheRelay(), volume, generation, hawser::Promote{node}));
    Cut();
  }

  Sequencer sequencer_{Members()};
};

void ExpectAccepted(const Ruling& decision, std::size_t index, std::size_t group = 0) {
  ASSERT_TRUE(std::holds_alternative<Accepted>(decision)) << std::get<Refusal>(decision).text;
  EXPECT_EQ(std::get<Accepted>(decision).place, (Place{group, index}));
}

void ExpectPending(const Ruling& decision, std::size_t index, std::size_t group = 0) {
  ASSERT_TRUE(std::holds_alternative<AlreadyPending>(decision)) << decision.index();
  EXPECT_EQ(std::get<AlreadyPending>(decision).place, (Place{group, index}));
}

void ExpectRepeated(const Ruling& decision, const Ack& first) {
  ASSERT_TRUE(std::holds_alternative<Repeated>(decision)) << decision.index();
  const Ack& ack = std::get<Repeated>(decision).ack;
  EXPECT_EQ(ack.sequence, first.sequence);
  EXPECT_EQ(ack.group, first.group);
  EXPECT_TRUE(ack.repeated);
}

// Of a ruling or a greeting.
template <class Decision>
void ExpectRefused(const Decision& decision, RefusalCode code) {
  ASSERT_TRUE(std::holds_alternative<Refusal>(decision)) << decision.index();
  EXPECT_EQ(std::get<Refusal>(decision).code, code) << std::get<Refusal>(decision).text;
  EXPECT_FALSE(std::get<Refusal>(decision).text.empty());
}

TEST_F(SequencerTest, TheFirstGroupMakesTheConfigsNodesPrimary) {
  const auto facts = sequencer_.VolumeFacts();
  ASSERT_EQ(facts.size(), 2U);
  EXPECT_EQ(facts[0], (VolumeFact{kDocs, kAlpha, Generation(1)}));
  EXPECT_EQ(facts[1], (VolumeFact{kMail, kBravo, Generation(1)}));
  EXPECT_EQ(sequencer_.state().head.position.sequence, Sequence(4));  // two volumes, two sessions
}

TEST_F(SequencerTest, OnlyANewVolumeIsGivenAPrimary) {
  const auto missing = sequencer_.MissingPrimaries({{kDocs, kBravo}, {VolumeName("more"), kBravo}});
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0].volume, VolumeName("more"));
}

TEST_F(SequencerTest, RecordsAreNumberedInTheOrderTheyCameInAllVolumes) {
  ExpectAccepted(Offer(kAlpha, 1, 1), 0);
  ExpectAccepted(Offer(kBravo, 2, 1, kMail), 1);
  ExpectAccepted(Offer(kAlpha, 1, 2), 2);
  const auto acks = Cut();
  ASSERT_EQ(acks.size(), 3U);
  for (std::size_t i = 0; i < acks.size(); ++i) {
    EXPECT_EQ(acks[i].sequence, Sequence(5 + i));
    EXPECT_EQ(acks[i].group.position.group, Group(2));
    EXPECT_EQ(acks[i].group.position.sequence, Sequence(7));
    EXPECT_FALSE(acks[i].repeated);
  }
}

// ---- batches and cuts

TEST_F(SequencerTest, ABatchWithoutCutsIsInOneGroupInItsOrder) {
  const auto rulings = OfferBatch(1, 3);
  for (std::size_t i = 0; i < 3; ++i) ExpectAccepted(rulings[i], i);
  EXPECT_EQ(sequencer_.pending(), (std::vector<std::size_t>{3}));
}

TEST_F(SequencerTest, BehindACutTheNextGroupBegins) {
  const auto rulings = OfferBatch(1, 4, {1, 3});
  ExpectAccepted(rulings[0], 0, 0);
  ExpectAccepted(rulings[1], 0, 1);
  ExpectAccepted(rulings[2], 1, 1);
  ExpectAccepted(rulings[3], 0, 2);
  const auto acks = Cut();
  ASSERT_EQ(acks.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(acks[i].sequence, Sequence(5 + i));
  EXPECT_EQ(acks[0].group.position.group, Group(2));
  EXPECT_EQ(acks[2].group.position.group, Group(3));
  EXPECT_EQ(acks[3].group.position.group, Group(4));
}

TEST_F(SequencerTest, BatchesOfOtherNodesShareTheGroups) {
  OfferBatch(1, 2, {1});
  const std::vector<Record> other{Mutation(kBravo, 2, 1, kMail), Mutation(kBravo, 2, 2, kMail)};
  const std::vector<std::uint32_t> cuts{1};
  const auto rulings = sequencer_.Offer(other, AfterAnswers(other.front(), cuts));
  ExpectAccepted(rulings[0], 1, 0);
  ExpectAccepted(rulings[1], 1, 1);
  EXPECT_EQ(sequencer_.pending(), (std::vector<std::size_t>{2, 2}));
}

// Else a crash that keeps the first group only would leave a number behind a gap.
TEST_F(SequencerTest, ANodesRecordNeverGoesBeforeItsEarlierOnes) {
  OfferBatch(1, 2, {1});
  ExpectAccepted(Offer(3), 1, 1);
  Hello(kAlpha, 2);
  ExpectAccepted(Offer(kAlpha, 3, 1), 3, 1);
}

TEST_F(SequencerTest, ACutBehindRefusedRecordsOnlyDividesNothing) {
  const std::vector<Record> records{Mutation(kAlpha, 1, 1, kMail), Mutation(kAlpha, 1, 2)};
  const std::vector<std::uint32_t> cuts{1};
  const auto rulings = sequencer_.Offer(records, AfterAnswers(records.front(), cuts));
  ExpectRefused(rulings[0], RefusalCode::kNotPrimary);
  ExpectAccepted(rulings[1], 0, 0);
}

TEST_F(SequencerTest, ACutBeforeARefusedRecordStillDivides) {
  const std::vector<Record> records{Mutation(kAlpha, 1, 1), Mutation(kAlpha, 1, 2, kMail),
                                    Mutation(kAlpha, 1, 3)};
  const std::vector<std::uint32_t> cuts{1};
  const auto rulings = sequencer_.Offer(records, AfterAnswers(records.front(), cuts));
  ExpectAccepted(rulings[0], 0, 0);
  ExpectRefused(rulings[1], RefusalCode::kNotPrimary);
  ExpectAccepted(rulings[2], 0, 1);
}

TEST_F(SequencerTest, ARefusalConcernsNoOtherRecordOfTheBatch) {
  Promote(kMail, kAlpha, 2);
  Promote(kMail, kBravo, 3);
  const std::vector<Record> records{Mutation(kAlpha, 1, 1), Mutation(kAlpha, 1, 2, kMail, 2),
                                    Mutation(kAlpha, 1, 3, VolumeName("attic")), Mutation(kAlpha, 1, 4)};
  const auto rulings = sequencer_.Offer(records, AfterAnswers(records.front()));
  ExpectAccepted(rulings[0], 0);
  ExpectRefused(rulings[1], RefusalCode::kFenced);
  ExpectRefused(rulings[2], RefusalCode::kUnknownVolume);
  ExpectAccepted(rulings[3], 1);
  const auto acks = Cut();
  const auto again = sequencer_.Offer(records, AfterAnswers(records.front()));
  ExpectRepeated(again[0], acks[0]);
  ExpectRefused(again[1], RefusalCode::kFenced);
  ExpectRefused(again[2], RefusalCode::kUnknownVolume);
  ExpectRepeated(again[3], acks[1]);
}

// ---- exactly once

TEST_F(SequencerTest, ARepetitionGetsTheSameAnswer) {
  OfferBatch(1, 3, {2});
  const auto acks = Cut();
  const auto again = OfferBatch(1, 3, {2});
  for (std::size_t i = 0; i < 3; ++i) ExpectRepeated(again[i], acks[i]);
  EXPECT_TRUE(sequencer_.pending().empty());
}

TEST_F(SequencerTest, ARepetitionWithinTheFormationIsNotASecondRecord) {
  OfferBatch(1, 3, {2});
  const auto again = OfferBatch(1, 3, {2});
  ExpectPending(again[0], 0, 0);
  ExpectPending(again[1], 1, 0);
  ExpectPending(again[2], 0, 1);
  EXPECT_EQ(Cut().size(), 3U);
}

// The crash came while the groups were being written: what is left of them is known, and the rest is new.
TEST_F(SequencerTest, OfABatchWhoseTailWasTornOnlyTheRestIsTaken) {
  OfferBatch(1, 4, {1, 3});
  Sequencer restarted(Members(), sequencer_.state());
  const Progress first = After(sequencer_).front();
  restarted.Replay(std::vector<Record>{Mutation(kAlpha, 1, 1)}, first);
  std::vector<Record> batch;
  for (std::uint64_t number = 1; number <= 4; ++number) batch.push_back(Mutation(kAlpha, 1, number));
  const std::vector<std::uint32_t> cuts{1, 3};
  const auto rulings = restarted.Offer(batch, AfterAnswers(batch.front(), cuts));
  ExpectRepeated(rulings[0], {first.position.sequence, first, false});
  ExpectAccepted(rulings[1], 0, 0);
  ExpectAccepted(rulings[2], 1, 0);
  ExpectAccepted(rulings[3], 0, 1);
}

TEST_F(SequencerTest, AsManyAnswersAreKeptAsABatchCanHold) {
  OfferBatch(1, kMaxBatchRecords);
  const auto acks = Cut();
  const auto again = OfferBatch(1, kMaxBatchRecords);
  for (std::size_t i = 0; i < acks.size(); ++i) ExpectRepeated(again[i], acks[i]);
  Offer(kMaxBatchRecords + 1);
  Cut();
  ExpectRefused(Offer(1), RefusalCode::kOutOfTurn);
  ExpectRepeated(Offer(2), acks[1]);
}

TEST_F(SequencerTest, WhatWasAcceptedIsRepeatedThoughTheNodeHasLeftTheConfig) {
  Offer(1);
  const auto acks = Cut();
  Sequencer without_alpha({{kBravo}, {kDocs, kMail}}, sequencer_.state());
  const std::vector<Record> records{Mutation(kAlpha, 1, 1), Mutation(kAlpha, 1, 2)};
  const auto rulings = without_alpha.Offer(records, AfterAnswers(records.front()));
  ExpectRepeated(rulings[0], acks[0]);
  ExpectRefused(rulings[1], RefusalCode::kUnknownNode);
}

// ---- several batches under way

TEST_F(SequencerTest, ABatchThatComesBeforeWhatLiesAheadOfItIsRefusedUntilThatHasCome) {
  const std::vector<Record> second{Mutation(kAlpha, 1, 3), Mutation(kAlpha, 1, 4)};
  for (const Ruling& ruling : sequencer_.Offer(second, Batch{})) ExpectRefused(ruling, RefusalCode::kAhead);
  OfferBatch(1, 2);
  const auto rulings = sequencer_.Offer(second, Batch{{0}, 0});
  ExpectAccepted(rulings[0], 0, 1);
  ExpectAccepted(rulings[1], 1, 1);
}

TEST_F(SequencerTest, WhatWasRefusedHasCome) {
  ExpectRefused(Offer(kAlpha, 1, 1, kMail), RefusalCode::kNotPrimary);
  ExpectAccepted(sequencer_.Offer(std::vector{Mutation(kAlpha, 1, 2)}, Batch{}).front(), 0);
}

// The relay was restarted: what was under way is gone, and a later batch comes first on the new connection.
TEST_F(SequencerTest, AfterARestartWhatWasAnsweredIsKnownAndWhatWasUnderWayIsWaitedFor) {
  Offer(1);
  Cut();
  ExpectRefused(Offer(kAlpha, 1, 2, kMail), RefusalCode::kNotPrimary);
  Sequencer restarted(Members(), sequencer_.state());
  const auto offer = [&](std::uint64_t number, std::uint64_t answered) {
    return restarted.Offer(std::vector{Mutation(kAlpha, 1, number)}, Batch{{}, answered}).front();
  };
  ExpectRefused(offer(4, 2), RefusalCode::kAhead);
  ExpectAccepted(offer(3, 2), 0);
  ExpectAccepted(offer(4, 2), 1);
}

TEST_F(SequencerTest, NumbersOnlyGoUp) {
  ExpectRefused(Offer(0), RefusalCode::kOutOfTurn);
  ExpectAccepted(Offer(1), 0);
  ExpectAccepted(Offer(2), 1);
  ExpectAccepted(Offer(4), 2);
  ExpectRefused(Offer(3), RefusalCode::kOutOfTurn);
  Cut();
  ExpectRefused(Offer(3), RefusalCode::kOutOfTurn);
}

TEST_F(SequencerTest, ARefusedNumberIsUsedUp) {
  ExpectRefused(Offer(kAlpha, 1, 1, kMail), RefusalCode::kNotPrimary);
  Promote(kMail, kAlpha, 2);
  ExpectRefused(Offer(kAlpha, 1, 1, kMail, 2), RefusalCode::kOutOfTurn);
  ExpectAccepted(Offer(kAlpha, 1, 2, kMail, 2), 0);
}

TEST_F(SequencerTest, WhatWasAbandonedStaysRefusedAndTheNextNumberIsTaken) {
  OfferBatch(1, 3, {1});
  sequencer_.Abandon();
  EXPECT_TRUE(sequencer_.pending().empty());
  for (const Ruling& ruling : OfferBatch(1, 3, {1})) ExpectRefused(ruling, RefusalCode::kJournalFull);
  ExpectAccepted(Offer(4), 0);
  EXPECT_EQ(Cut().size(), 1U);
  ExpectRefused(Offer(1), RefusalCode::kJournalFull);
}

TEST_F(SequencerTest, ANewSessionBeginsAnewAfterAnAbandonedGroup) {
  Offer(1);
  sequencer_.Abandon();
  Hello(kAlpha, 2);
  ExpectAccepted(Offer(kAlpha, 3, 1), 1);
}

TEST_F(SequencerTest, StrangersAreRefused) {
  ExpectRefused(Offer(NodeName("mallory"), 1, 1), RefusalCode::kUnknownNode);
  ExpectRefused(Offer(kAlpha, 1, 1, VolumeName("attic")), RefusalCode::kUnknownVolume);
  ExpectRefused(Hello(NodeName("mallory"), 1), RefusalCode::kUnknownNode);
  EXPECT_TRUE(sequencer_.pending().empty());
}

TEST_F(SequencerTest, OnlyThePrimaryInItsGenerationIsHeard) {
  ExpectRefused(Offer(kBravo, 2, 1, kDocs), RefusalCode::kNotPrimary);
  ExpectRefused(Offer(kAlpha, 1, 1, kDocs, 0), RefusalCode::kFenced);
  ExpectRefused(Offer(kAlpha, 1, 2, kDocs, 2), RefusalCode::kNotPrimary);
}

TEST_F(SequencerTest, NodesCannotSendTheRelaysOwnRecords) {
  ExpectRefused(Offer(With({kAlpha, 1, 1}, kDocs, 1, hawser::Promote{kAlpha})), RefusalCode::kBadMessage);
  ExpectRefused(Offer(With({kAlpha, 1, 2}, kDocs, 1, Mark{"hi"})), RefusalCode::kBadMessage);
  ExpectRefused(Offer(With({kAlpha, 1, 3}, {}, 0, NodeSession{})), RefusalCode::kBadMessage);
}

TEST_F(SequencerTest, AfterAPromotionTheOldPrimaryIsFenced) {
  Offer(1);
  Cut();
  Promote(kDocs, kBravo, 2);
  ExpectRefused(Offer(2), RefusalCode::kFenced);
  ExpectRefused(Offer(kAlpha, 1, 3, kDocs, 2), RefusalCode::kNotPrimary);
  ExpectAccepted(Offer(kBravo, 2, 1, kDocs, 2), 0);
}

TEST_F(SequencerTest, WhatTheOldPrimaryHadAcceptedIsStillAnsweredAfterAPromotion) {
  Offer(1);
  const auto acks = Cut();
  Promote(kDocs, kBravo, 2);
  ExpectRepeated(Offer(1), acks[0]);
}

// ---- sessions

TEST_F(SequencerTest, ANewSessionEndsTheOldOneAndIsJournaled) {
  Offer(kAlpha, 1, 1);
  Cut();
  const Greeting greeting = Hello(kAlpha, 2);
  ASSERT_TRUE(std::holds_alternative<Begins>(greeting));
  const Record& record = std::get<Begins>(greeting).record;
  EXPECT_EQ(record.body, Body(NodeSession{{}, 1, 2}));
  EXPECT_EQ(record.origin, (Origin{kAlpha, 3, 0}));
  ExpectRefused(Offer(kAlpha, 1, 1), RefusalCode::kOldSession);
  ExpectRefused(Offer(kAlpha, 1, 2), RefusalCode::kOldSession);
  EXPECT_EQ(Cut().size(), 1U);
  ExpectAccepted(Offer(kAlpha, 3, 1), 0);
}

TEST_F(SequencerTest, ASessionThatNeverSaidHelloIsRefused) {
  ExpectRefused(Offer(kAlpha, 3, 1), RefusalCode::kUnknownSession);
}

TEST_F(SequencerTest, AHelloThatIsRepeatedKeepsTheNumbers) {
  Offer(1);
  const auto acks = Cut();
  EXPECT_TRUE(std::holds_alternative<GoesOn>(Hello(kAlpha, 1)));
  ExpectRepeated(Offer(1), acks[0]);
}

TEST_F(SequencerTest, ASessionForWhichThereWasNoRoomBeginsAtItsNextHello) {
  EXPECT_TRUE(std::holds_alternative<Begins>(Hello(kAlpha, 2)));
  EXPECT_TRUE(std::holds_alternative<GoesOn>(Hello(kAlpha, 2)));
  sequencer_.Abandon();
  EXPECT_TRUE(std::holds_alternative<Begins>(Hello(kAlpha, 2)));
  Cut();
  EXPECT_TRUE(std::holds_alternative<GoesOn>(Hello(kAlpha, 2)));
  EXPECT_EQ(sequencer_.state().nodes.at(kAlpha).session, 3U);
}

TEST_F(SequencerTest, WhatAnEndedSessionHasInTheGroupStaysAndDoesNotTouchTheNewOnesNumbers) {
  ExpectAccepted(Offer(kAlpha, 1, 1), 0);
  Hello(kAlpha, 2);
  ExpectAccepted(Offer(kAlpha, 3, 1), 2);
  EXPECT_EQ(Cut().size(), 3U);
  ExpectAccepted(Offer(kAlpha, 3, 2), 0);
}

TEST_F(SequencerTest, NoSessionNumberIsGivenTwiceToWhateverNode) {
  std::set<std::uint64_t> given{1, 2};
  for (std::uint64_t start = 10; start < 20; ++start) {
    const NodeName& node = start % 2 == 0 ? kAlpha : kBravo;
    if (start % 3 == 0) sequencer_.Abandon();
    ASSERT_TRUE(std::holds_alternative<Begins>(Hello(node, start)));
    EXPECT_TRUE(given.insert(sequencer_.SessionOf(node)).second);
  }
}

TEST_F(SequencerTest, AnotherStateFolderIsRefusedAsLongAsTheNodeIsAlive) {
  const hawser::Hello twin = HelloOf(kAlpha, 9, 2);
  ExpectRefused(sequencer_.Greet(twin, true), RefusalCode::kNodeAlive);
  EXPECT_TRUE(sequencer_.pending().empty());
  ExpectAccepted(Offer(kAlpha, 1, 1), 0);  // the refused one has changed nothing
  Cut();

  const Greeting replaced = sequencer_.Greet(twin, false);
  ASSERT_TRUE(std::holds_alternative<Begins>(replaced));
  EXPECT_NE(std::get<Begins>(replaced).replaces, "");
  ExpectRefused(Offer(kAlpha, 1, 2), RefusalCode::kOldSession);
}

TEST_F(SequencerTest, TakingOverEndsTheSessionOfANodeThatIsAlive) {
  hawser::Hello twin = HelloOf(kAlpha, 9, 2);
  twin.take_over = true;
  ASSERT_TRUE(std::holds_alternative<Begins>(sequencer_.Greet(twin, true)));
  ExpectRefused(Offer(kAlpha, 1, 1), RefusalCode::kOldSession);
}

TEST_F(SequencerTest, TheSameStateFolderMayStartAgainAtOnce) {
  const Greeting again = sequencer_.Greet(HelloOf(kAlpha, 9), true);
  ASSERT_TRUE(std::holds_alternative<Begins>(again));
  EXPECT_EQ(std::get<Begins>(again).replaces, "");
}

TEST_F(SequencerTest, WhoBeganASessionIsKnownAfterARestartToo) {
  Sequencer restarted(Members());
  restarted.Replay(sequencer_.state().Facts(), sequencer_.state().head);
  ExpectRefused(restarted.Greet(HelloOf(kAlpha, 9, 2), true), RefusalCode::kNodeAlive);
}

// ---- what the journal holds

TEST_F(SequencerTest, AFactThatIsKnownChangesNothing) {
  OfferBatch(1, 5, {2});
  Cut();
  const auto facts = sequencer_.state().Facts();
  SequencerState state = sequencer_.state();
  for (const Record& fact : facts) state.Enter(fact, {});
  EXPECT_EQ(state.Facts(), facts);
}

TEST_F(SequencerTest, AnOldFactDoesNotBringBackWhatIsOver) {
  Offer(1);
  Cut();
  const auto facts = sequencer_.state().Facts();
  Promote(kDocs, kBravo, 2);
  Hello(kAlpha, 2);
  Cut();
  SequencerState state = sequencer_.state();
  for (const Record& fact : facts) state.Enter(fact, {});
  EXPECT_EQ(state.Facts(), sequencer_.state().Facts());
}

TEST_F(SequencerTest, TheFactsAloneAreEnoughToGoOn) {
  OfferBatch(1, 4, {2});
  const auto acks = Cut();
  Promote(kMail, kAlpha, 2);
  Sequencer restarted(Members());
  restarted.Replay(sequencer_.state().Facts(), sequencer_.state().head);
  std::vector<Record> batch;
  for (std::uint64_t number = 1; number <= 4; ++number) batch.push_back(Mutation(kAlpha, 1, number));
  const auto again = restarted.Offer(batch, AfterAnswers(batch.front()));
  for (std::size_t i = 0; i < 4; ++i) ExpectRepeated(again[i], acks[i]);
  ExpectRefused(restarted.Offer(std::vector{Mutation(kBravo, 2, 1, kMail)}, Batch{}).front(),
                RefusalCode::kFenced);
  EXPECT_TRUE(std::holds_alternative<GoesOn>(restarted.Greet(HelloOf(kAlpha, 1), false)));
}

// ---- promotions

TEST_F(SequencerTest, AHandoverSaysWhatWasBeforeItAndRaisesTheGeneration) {
  Offer(1);
  Cut();
  const Sequence head = sequencer_.state().head.position.sequence;
  const auto records = sequencer_.Promotions({9, kBravo, {{kDocs, Generation(1), true}}});
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 1U);
  EXPECT_EQ((*records)[0].volume, kDocs);
  EXPECT_EQ((*records)[0].generation, Generation(2));
  EXPECT_EQ((*records)[0].origin, OriginOfTheRelay());
  EXPECT_EQ(std::get<hawser::Promote>((*records)[0].body), (hawser::Promote{kBravo, kAlpha, head, true, 9}));
}

// All or none: the decision rested on what was so when it was made.
TEST_F(SequencerTest, AHandoverThatIsOutOfDateIsRefusedAsAWhole) {
  const Handover handover{9, kBravo, {{kDocs, Generation(1), false}, {kMail, Generation(1), false}}};
  Promote(kMail, kAlpha, 2);
  const auto records = sequencer_.Promotions(handover);
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().code, ESTALE);
  EXPECT_FALSE(sequencer_.Promotions({9, kBravo, {{VolumeName("attic"), Generation(0), false}}}));
}

TEST_F(SequencerTest, BehindAHandoverNothingOfTheFormerPrimaryIsTaken) {
  ExpectAccepted(Offer(1), 0);
  const auto before = Cut();
  const auto records = sequencer_.Promotions({9, kBravo, {{kDocs, Generation(1), false}}});
  ASSERT_TRUE(records);
  sequencer_.OfferOwn((*records)[0]);
  Cut();
  ExpectRefused(Offer(2), RefusalCode::kFenced);
  ExpectRepeated(Offer(1), before[0]);  // what it was told, it is told again
  ExpectAccepted(Offer(kBravo, 2, 1, kDocs, 2), 0);
  EXPECT_EQ(sequencer_.VolumeFacts()[0],
            (VolumeFact{kDocs, kBravo, Generation(2), before[0].group.position.sequence}));
  EXPECT_EQ(sequencer_.Made().at(kDocs).attempt, 9U);
}

void ExpectSameState(const SequencerState& a, const SequencerState& b) {
  EXPECT_EQ(a.head, b.head);
  EXPECT_EQ(a.Facts(), b.Facts());
}

TEST_F(SequencerTest, APrimaryShowsItselfInWhatIsLeftOfTheJournal) {
  Sequencer replayed(Members());
  Progress after;
  after.position.sequence = Sequence(41);
  after.position.group = Group(9);
  const std::vector<Record> left{With({kBravo, 7, 3}, kDocs, 4, Truncate{})};
  replayed.Replay(left, after);
  EXPECT_TRUE(replayed.MissingPrimaries({{kDocs, kAlpha}}).empty());
  ASSERT_TRUE(replayed.state().volumes.contains(kDocs));
  EXPECT_EQ(replayed.state().volumes.at(kDocs).made.node, kBravo);
  EXPECT_EQ(replayed.state().volumes.at(kDocs).generation, Generation(4));
}

// Random batches with repetitions, new sessions and promotions: what the journal holds leads to the same
// state, and no (session, number) is in it twice.
TEST_F(SequencerTest, ReplayingTheJournalGivesTheSameState) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    Sequencer live(Members());
    Sequencer replayed(Members());
    std::vector<std::vector<Record>> groups;
    std::set<std::tuple<std::string, std::uint64_t, std::uint64_t>> seen;
    const auto put = [&](const Record& record, const Place& place) {
      if (place.group >= groups.size()) groups.resize(place.group + 1);
      ASSERT_EQ(place.index, groups[place.group].size());
      groups[place.group].push_back(record);
    };
    const auto cut = [&] {
      const auto after = After(live);
      ASSERT_EQ(after.size(), groups.size());
      live.Commit(after);
      for (std::size_t i = 0; i < groups.size(); ++i) replayed.Replay(groups[i], after[i]);
      groups.clear();
      ExpectSameState(live.state(), replayed.state());
    };
    std::uint64_t sessions[2] = {};
    std::uint64_t starts = 0;
    const auto greet = [&](unsigned who) {
      const Greeting greeting = live.Greet(HelloOf(who == 0 ? kAlpha : kBravo, ++starts), false);
      ASSERT_TRUE(std::holds_alternative<Begins>(greeting));
      sessions[who] = std::get<Begins>(greeting).record.origin.session;
      put(std::get<Begins>(greeting).record, std::get<Begins>(greeting).place);
    };
    for (const Record& record : live.MissingPrimaries({{kDocs, kAlpha}, {kMail, kBravo}}))
      put(record, live.OfferOwn(record));
    greet(0);
    greet(1);
    for (int step = 0; step < 2000; ++step) {
      const unsigned who = random() % 2;
      const NodeName& node = who == 0 ? kAlpha : kBravo;
      if (random() % 100 == 0) greet(who);
      std::vector<Record> batch;
      std::vector<std::uint32_t> cuts;
      const std::uint64_t first = 1 + random() % 60;
      const std::uint64_t count = 1 + random() % 6;
      for (std::uint32_t i = 0; i < count; ++i) {
        batch.push_back(Mutation(node, sessions[who], first + i, who == 0 ? kDocs : kMail));
        if (i > 0 && random() % 3 == 0) cuts.push_back(i);
      }
      const auto rulings = live.Offer(batch, AfterAnswers(batch.front(), cuts));
      for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto* accepted = std::get_if<Accepted>(&rulings[i]);
        if (accepted == nullptr) continue;
        put(batch[i], accepted->place);
        const Origin& origin = batch[i].origin;
        ASSERT_TRUE(seen.emplace(origin.node.value, origin.session, origin.number).second);
      }
      if (random() % 4 == 0) cut();
    }
    cut();
  }
}

}  // namespace
}  // namespace hawser
