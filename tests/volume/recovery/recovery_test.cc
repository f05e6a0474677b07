// What a recovery does in each case of checkpoints, ends and journals.
#include "volume/recovery/recovery.h"

#include "tests/support/ok.h"
#include "tests/volume/recovery/recovery_fixture.h"
#include "volume/recovery/run_recovery.h"

namespace hawser::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr auto kServing = RecoverFor::kServing;
constexpr auto kFollowing = RecoverFor::kFollowing;

// ---- from where to where

TEST_F(RecoveryTest, AfterAnUncleanEndAllIsLookedAtAndThenRedone) {
  Holds(0, 5);
  Add("docs", At(2), Ended::kUnclean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_THAT(log_, ElementsAre("wanted 2..5", "docs: expect 3", "docs: expect 4",  //
                                "wanted 4..5", "docs: expect 5",                    //
                                "wanted 2..5", "docs: redo 3", "docs: redo 4",      //
                                "wanted 4..5", "docs: redo 5", "docs: finish"));
  EXPECT_EQ(Stand(0).applied, At(5));
  EXPECT_EQ(Stand(0).checkpoint, At(2));
  EXPECT_EQ(recovery().next(), At(5));
  EXPECT_EQ(recovery().records(), 3U);
}

TEST_F(RecoveryTest, AfterACleanEndACopyIsLeftAsItIs) {
  Holds(0, 5);
  Add("docs", At(2), Ended::kClean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_THAT(log_, ElementsAre("wanted 2..2", "docs: checkpoint 2"));
  EXPECT_EQ(recovery().next(), At(2));
}

TEST_F(RecoveryTest, AfterACleanEndAPrimaryAppliesWhatItLacks) {
  Holds(0, 5);
  Add("docs", At(3), Ended::kClean);
  ASSERT_OK(Run(kServing));
  EXPECT_THAT(log_, ElementsAre("docs: checkpoint 3", "wanted 3..5", "docs: apply 4", "docs: apply 5"));
  EXPECT_EQ(Stand(0).applied, At(5));
}

TEST_F(RecoveryTest, AtTheJournalsEndNothingIsAskedFor) {
  Holds(0, 5);
  Add("docs", At(5), Ended::kUnclean);
  ASSERT_OK(Run(kServing));
  // But that callers will change it, as the own journal doesn't tell.
  EXPECT_THAT(log_, ElementsAre("docs: checkpoint 5"));
  EXPECT_TRUE(Stand(0).active());
}

TEST_F(RecoveryTest, NewStoreHoldsNothingThatWouldHaveToBeRedone) {
  Holds(0, 2);
  Add("docs").store.set_new();
  ASSERT_OK(Run(kServing));
  EXPECT_THAT(log_, ElementsAre("wanted 0..2", "docs: apply 1", "docs: apply 2"));
}

TEST_F(RecoveryTest, StoreWithoutACheckpointIsRedoneFromNothing) {
  Holds(0, 2);
  Add("docs");
  ASSERT_OK(Run(kFollowing));
  EXPECT_THAT(log_, Contains("docs: redo 1"));
  EXPECT_EQ(Stand(0).applied, At(2));
}

TEST_F(RecoveryTest, VolumesAtDifferentGroupsComeToWhereTheForemostStands) {
  Holds(0, 9);
  Add("docs", At(3), Ended::kClean);
  Add("mail", At(5), Ended::kClean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_THAT(log_, ElementsAre("docs: checkpoint 3", "mail: checkpoint 5", "wanted 3..5", "docs: apply 4",
                                "docs: apply 5"));
  EXPECT_EQ(recovery().next(), At(5));
}

TEST_F(RecoveryTest, VolumeThatMayBeAheadTakesTheOthersToTheEnd) {
  Holds(0, 4);
  Add("docs", At(3), Ended::kClean);
  Add("mail", At(3), Ended::kUnclean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_THAT(log_, ElementsAre("wanted 3..4", "mail: expect 4", "docs: checkpoint 3", "wanted 3..4",
                                "docs: apply 4", "mail: redo 4", "mail: finish"));
}

TEST_F(RecoveryTest, JournalThatIsntThereYetLeavesNothingToDo) {
  Add("docs", Progress{}, Ended::kClean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_THAT(log_, ElementsAre("docs: checkpoint 0"));
  EXPECT_EQ(recovery().next(), Progress{});
}

// ---- the clean mark

TEST_F(RecoveryTest, CleanMarksAreGoneBeforeAnythingIsApplied) {
  Holds(0, 4);
  Add("docs", At(3), Ended::kClean);
  Begin(kServing);
  EXPECT_THAT(log_, ElementsAre("docs: checkpoint 3"));
  ASSERT_OK(recovery().Take(Groups(3, 4)));
  EXPECT_THAT(log_, ElementsAre("docs: checkpoint 3", "docs: apply 4"));
}

TEST_F(RecoveryTest, ThatAnEndWasUncleanIsSaidOfTheSameCheckpoint) {
  Holds(0, 4);
  Volume& docs = Add("docs", At(3), Ended::kClean);
  docs.place.checkpoint->mark = docs.store.marks.newest = 77;
  Begin(kServing);
  EXPECT_FALSE(docs.place.checkpoint->clean);
  EXPECT_EQ(docs.place.checkpoint->mark, 77U);
}

// What its callers did after the checkpoint is in the relay's journal; the own one needn't have it, however
// far it reaches.
TEST_F(RecoveryTest, StoreThatWasServedIsProvenByTheRelaysJournalOnly) {
  Holds(0, 9);
  Volume& docs = Add("docs", At(3), Ended::kUnclean);
  docs.place.checkpoint->beyond_own = true;
  ASSERT_OK(Run(kFollowing));
  EXPECT_FALSE(was_proven_);
  EXPECT_EQ(Stand(0).condition, Condition::kNeedsSync);
}

TEST_F(RecoveryTest, StoreThatWasServedAndEndedInOrderNeedsNoProof) {
  Holds(0, 9);
  Volume& docs = Add("docs", At(3), Ended::kClean);
  docs.place.checkpoint->beyond_own = true;
  ASSERT_OK(Run(kFollowing));
  EXPECT_TRUE(was_proven_);
}

TEST_F(RecoveryTest, CheckpointSaysThatTheRelaysJournalIsApplied) {
  Holds(0, 4);
  Volume& docs = Add("docs", At(3), Ended::kUnclean);
  Begin(kServing);
  ASSERT_OK(recovery().Take(Groups(3, 4)));
  EXPECT_TRUE(docs.place.checkpoint->beyond_own);
}

// The state folder went back to the clean end of a day before.
TEST_F(RecoveryTest, StoreThatALaterCheckpointWasMadeOfIsRedone) {
  Holds(0, 4);
  Volume& docs = Add("docs", At(3), Ended::kClean);
  docs.place.checkpoint->mark = 77;
  docs.store.marks = {78, 77};
  ASSERT_OK(Run(kServing));
  EXPECT_THAT(log_, Contains("docs: redo 4"));
}

// ---- what fails

TEST_F(RecoveryTest, DivergedCopyIsNotedAndTheOthersGoOn) {
  Holds(0, 4);
  Add("docs", At(1), Ended::kUnclean).store.FailAt(2, kStoreDiverged);
  Add("mail", At(1), Ended::kUnclean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_EQ(Stand(0).condition, Condition::kDiverged);
  EXPECT_EQ(Stand(0).applied, At(1));
  EXPECT_THAT(Stand(0).problem, HasSubstr("store of this copy"));
  EXPECT_THAT(log_, Contains("docs: diverged"));
  EXPECT_THAT(log_, Not(Contains("docs: redo 3")));
  EXPECT_THAT(log_, Not(Contains("docs: finish")));
  EXPECT_EQ(Stand(1).applied, At(4));
  EXPECT_THAT(log_, Contains("mail: finish"));
  EXPECT_EQ(recovery().next(), At(4));
}

TEST_F(RecoveryTest, DivergedPrimaryIsNotNotedAndLooksAgainNextTime) {
  Holds(0, 4);
  Add("docs", At(1), Ended::kUnclean).store.FailAt(2, kStoreDiverged);
  ASSERT_OK(Run(kServing));
  EXPECT_EQ(Stand(0).condition, Condition::kDiverged);
  EXPECT_THAT(Stand(0).problem, HasSubstr("store of this primary"));
  EXPECT_THAT(Stand(0).problem, HasSubstr("don't empty the store"));
  EXPECT_THAT(log_, Not(Contains("docs: diverged")));
}

TEST_F(RecoveryTest, NotedDivergenceLeavesTheVolumeAlone) {
  Holds(0, 4);
  Add("docs", At(1), Ended::kClean).place.note = "somebody was here";
  Add("mail", At(3), Ended::kUnclean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_EQ(Stand(0).condition, Condition::kDiverged);
  EXPECT_EQ(Stand(0).problem, "somebody was here");
  EXPECT_THAT(log_,
              ElementsAre("wanted 3..4", "mail: expect 4", "wanted 3..4", "mail: redo 4", "mail: finish"));
}

TEST_F(RecoveryTest, StoreThatFailsFailsTheStart) {
  Holds(0, 4);
  Add("docs", At(1), Ended::kUnclean).store.FailAt(3, ENOSPC);
  const Status run = Run(kFollowing);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ENOSPC);
  EXPECT_TRUE(Stand(0).active());
}

// What else the redo has set aside is none of that record's business.
TEST_F(RecoveryTest, RecordThatFindsNoRoomThoughThereIsIsTriedAgainWithinTheSameRedo) {
  Holds(0, 4);
  Volume& docs = Add("docs", At(2), Ended::kUnclean);
  docs.store.FailAt(3, ENOSPC);
  docs.store.has_room = true;
  ASSERT_OK(Run(kFollowing));
  EXPECT_THAT(log_, ElementsAre("wanted 2..4", "docs: expect 3", "docs: expect 4",                    //
                                "wanted 2..4", "docs: redo 3", "docs: redo again 3", "docs: redo 4",  //
                                "docs: finish"));
}

// ---- what a primary's store refuses

TEST_F(RecoveryTest, PrimaryIsToldWhatItsStoreRefuses) {
  Holds(0, 4);
  Add("docs", At(2), Ended::kUnclean).store.FailAt(4, EPERM);
  ASSERT_OK(Run(kServing));
  EXPECT_TRUE(Stand(0).active()) << Stand(0).problem;
  ASSERT_THAT(recovery().refused().entries(), SizeIs(1));
}

// The primary would have made up for it then.
TEST_F(RecoveryTest, PrimaryWhoseStoreRefusesWhatLaterRecordsBuildOnDoesntServe) {
  Holds(0, 4);
  Add("docs", At(2), Ended::kUnclean).store.FailAt(3, EPERM);
  ASSERT_OK(Run(kServing));
  EXPECT_EQ(Stand(0).condition, Condition::kFailed);
  EXPECT_THAT(Stand(0).problem, HasSubstr("refuses a record that it had taken before"));
  EXPECT_THAT(log_, Not(Contains("docs: redo 4")));
}

// As it did: that is known from the records ahead, before those in between are redone.
TEST_F(RecoveryTest, RefusedRecordThatWasMadeUpForIsGoneOnWithout) {
  Volume& docs = Add("docs", At(2), Ended::kUnclean);
  docs.store.FailAt(3, EPERM);
  for (const RecoverFor purpose : {kServing, kFollowing}) {
    Holds(0, 6);
    MakesUp(5, 3);
    log_.clear();
    docs.place.checkpoint->beyond_own = false;  // the own journal has it all, too
    ASSERT_OK(Run(purpose));
    EXPECT_TRUE(Stand(0).active()) << Stand(0).problem;
    EXPECT_TRUE(Stand(0).differences.empty());
    EXPECT_THAT(log_, Contains("docs: redo 4"));
  }
}

// ---- journals that don't lead on

TEST_F(RecoveryTest, VolumeBeforeTheOldestGroupNeedsASync) {
  Holds(3, 5);
  Add("docs", At(2), Ended::kClean);
  Add("mail", At(3), Ended::kUnclean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_EQ(Stand(0).condition, Condition::kNeedsSync);
  EXPECT_THAT(Stand(0).problem, HasSubstr("the journal begins only at 30 (group 3)"));
  EXPECT_EQ(Stand(1).applied, At(5));
  EXPECT_THAT(log_, Not(Contains(HasSubstr("docs"))));
}

TEST_F(RecoveryTest, StoreOfAnotherJournalNeedsASync) {
  Holds(0, 5);
  Add("docs", InAnotherJournal(2), Ended::kClean);
  ASSERT_OK(Run(kServing));
  EXPECT_EQ(Stand(0).condition, Condition::kNeedsSync);
  EXPECT_THAT(log_, IsEmpty());
}

// The state folder is lost, and with it the checkpoint: the store itself tells whose records it holds.
TEST_F(RecoveryTest, StoreWhoseCheckpointIsLostIsRedoneByNoOtherJournal) {
  for (const RecoverFor purpose : {kServing, kFollowing}) {
    Holds(0, 5);
    Add("docs").store.marks = {4, 3, InAnotherJournal(2).position};
    ASSERT_OK(Run(purpose));
    EXPECT_EQ(Stand(0).condition, Condition::kNeedsSync);
    EXPECT_THAT(Stand(0).problem, HasSubstr("the store follows journal 08"));
    EXPECT_THAT(log_, IsEmpty());
  }
}

TEST_F(RecoveryTest, StoreWhoseCheckpointIsLostIsRedoneByNoOtherHistory) {
  for (const std::uint64_t group : {3, 5}) {
    Holds(0, 5);
    Add("docs").store.marks = {4, 3, InAnotherHistory(group).position};
    ASSERT_OK(Run(kServing));
    EXPECT_EQ(Stand(0).condition, Condition::kDiverged);
    EXPECT_THAT(log_, Not(Contains(HasSubstr("redo"))));
  }
}

TEST_F(RecoveryTest, PrimaryWhoseCheckpointIsLostIsNotServedByAJournalThatEndsBefore) {
  Holds(0, 5);
  Add("docs").store.marks = {4, 3, At(7).position};
  ASSERT_OK(Run(kServing));
  EXPECT_EQ(Stand(0).condition, Condition::kDiverged);
  EXPECT_THAT(Stand(0).problem, HasSubstr("it has lost records"));
}

TEST_F(RecoveryTest, StoreWhoseCheckpointIsLostIsRedoneByItsOwnJournal) {
  Holds(0, 5);
  Add("docs").store.marks = {4, 3, At(3).position};
  ASSERT_OK(Run(kServing));
  EXPECT_TRUE(Stand(0).active());
  EXPECT_EQ(Stand(0).applied, At(5));
  EXPECT_THAT(log_, Contains("docs: redo 1"));
}

TEST_F(RecoveryTest, OtherHistoryAtTheJournalsEndIsADivergence) {
  Holds(0, 5);
  Add("docs", InAnotherHistory(5), Ended::kClean);
  ASSERT_OK(Run(kServing));
  EXPECT_EQ(Stand(0).condition, Condition::kDiverged);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(RecoveryTest, OtherHistoryWhereAllStandIsADivergenceAlsoWithNothingToApply) {
  Holds(0, 5);
  Add("docs", InAnotherHistory(3), Ended::kClean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_EQ(Stand(0).condition, Condition::kDiverged);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(RecoveryTest, OtherHistoryWhereTheHindmostStandsLeavesTheOthers) {
  Holds(0, 5);
  Add("docs", InAnotherHistory(2), Ended::kUnclean);
  Add("mail", At(4), Ended::kUnclean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_EQ(Stand(0).condition, Condition::kDiverged);
  EXPECT_EQ(Stand(1).applied, At(5));
  EXPECT_THAT(log_, Not(Contains(HasSubstr("docs"))));
}

TEST_F(RecoveryTest, OtherHistoryBesideTheHindmostIsADivergence) {
  Holds(0, 5);
  Add("docs", At(2), Ended::kUnclean);
  Add("mail", InAnotherHistory(2), Ended::kUnclean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_EQ(Stand(0).applied, At(5));
  EXPECT_EQ(Stand(1).condition, Condition::kDiverged);
  EXPECT_THAT(log_, Not(Contains(HasSubstr("mail"))));
}

TEST_F(RecoveryTest, OtherHistoryOnTheWayIsADivergence) {
  Holds(0, 5);
  Add("docs", At(2), Ended::kUnclean);
  Add("mail", InAnotherHistory(4), Ended::kUnclean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_EQ(Stand(0).applied, At(5));
  EXPECT_EQ(Stand(1).condition, Condition::kDiverged);
  EXPECT_THAT(log_, Not(Contains("mail: redo 5")));
}

TEST_F(RecoveryTest, CopyAheadOfTheOwnJournalIsLeftToReplay) {
  Holds(0, 5);
  Add("docs", At(7), Ended::kClean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_TRUE(Stand(0).active());
  EXPECT_EQ(Stand(0).applied, At(7));
  EXPECT_EQ(recovery().next(), At(5));
}

// ---- what a copy's store may hold has to be in the journal

TEST_F(RecoveryTest, JournalThatReachesToTheCheckpointProvesWhatLiesBehindIt) {
  Holds(0, 5);
  Add("docs", At(3), Ended::kUnclean);
  Add("mail", At(5), Ended::kUnclean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_TRUE(was_proven_);
  EXPECT_TRUE(Stand(0).whole);
  EXPECT_TRUE(Stand(1).whole);
}

TEST_F(RecoveryTest, AfterAnUncleanEndAJournalThatEndsBeforeTheCheckpointProvesNothing) {
  Holds(0, 5);
  Add("docs", At(7), Ended::kUnclean);
  Add("mail", At(7), Ended::kClean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_FALSE(was_proven_);
  EXPECT_EQ(Stand(0).condition, Condition::kNeedsSync);
  EXPECT_FALSE(Stand(0).whole);
  EXPECT_TRUE(Stand(1).active());
  EXPECT_TRUE(Stand(1).whole);
}

TEST_F(RecoveryTest, NorDoesAJournalThatIsGone) {
  Add("docs", At(7), Ended::kUnclean);
  Add("mail");  // killed before its first checkpoint
  Add("new").store.set_new();
  ASSERT_OK(Run(kFollowing));
  EXPECT_FALSE(was_proven_);
  EXPECT_FALSE(Stand(0).whole);
  EXPECT_FALSE(Stand(1).whole);
  EXPECT_TRUE(Stand(2).whole);
}

TEST_F(RecoveryTest, NorDoesAnotherJournal) {
  Holds(0, 5);
  Add("docs", InAnotherJournal(3), Ended::kUnclean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_FALSE(was_proven_);
  EXPECT_FALSE(Stand(0).whole);
}

TEST_F(RecoveryTest, CopyThatTheJournalNoLongerLeadsOnFromIsWholeOnlyAfterACleanEnd) {
  Holds(3, 5);
  Add("docs", At(2), Ended::kClean);
  Add("mail", At(2), Ended::kUnclean);
  ASSERT_OK(Run(kFollowing));
  EXPECT_EQ(Stand(0).condition, Condition::kNeedsSync);
  EXPECT_EQ(Stand(1).condition, Condition::kNeedsSync);
  EXPECT_TRUE(Stand(0).whole);
  EXPECT_FALSE(Stand(1).whole);
}

TEST_F(RecoveryTest, PrimaryAheadOfTheRelayDoesntServe) {
  Holds(0, 5);
  Add("docs", At(7), Ended::kUnclean);
  ASSERT_OK(Run(kServing));
  EXPECT_EQ(Stand(0).condition, Condition::kDiverged);
  EXPECT_THAT(Stand(0).problem, HasSubstr("it has lost records"));
}

TEST_F(RecoveryTest, GroupsThatWereDroppedMeanwhileMeanASync) {
  Holds(0, 5);
  Add("docs", At(2), Ended::kUnclean);
  Add("mail", At(4), Ended::kUnclean);
  Begin(kFollowing);
  ASSERT_OK(recovery().Refused(Error{ENODATA, "it is gone"}));
  EXPECT_EQ(Stand(0).condition, Condition::kNeedsSync);
  EXPECT_EQ(Stand(0).problem, "it is gone");
  ASSERT_TRUE(recovery().wanted());
  EXPECT_EQ(recovery().wanted()->after, At(4));
}

TEST_F(RecoveryTest, JournalThatFailsInTheMiddleFailsTheStart) {
  Holds(0, 5);
  Add("docs", At(2), Ended::kUnclean);
  Begin(kFollowing);
  ASSERT_OK(recovery().Take(Groups(2, 4)));
  EXPECT_EQ(recovery().Refused(Error{ENODATA, "it is gone"}).error().code, ENODATA);
  EXPECT_EQ(recovery().Refused(Error{EIO, "it can't be read"}).error().code, EIO);
  EXPECT_TRUE(Stand(0).active());
}

TEST_F(RecoveryTest, AnswerWithNothingInItFailsTheStart) {
  Holds(0, 5);
  Add("docs", At(2), Ended::kUnclean);
  Begin(kFollowing);
  EXPECT_FALSE(recovery().Take({}));
}

// ---- what a person hears, and can do

TEST_F(RecoveryTest, ProgressTellsThePassAndTheRecords) {
  Holds(0, 5);
  Add("docs", At(2), Ended::kUnclean);
  Begin(kFollowing);
  ASSERT_OK(recovery().Take(Groups(2, 3)));
  EXPECT_EQ(recovery().ProgressText(), "looking ahead: 10 of 30 records");
  ASSERT_OK(recovery().Take(Groups(3, 5)));
  ASSERT_OK(recovery().Take(Groups(2, 4)));
  EXPECT_EQ(recovery().ProgressText(), "applying: 20 of 30 records");
}

class SourceThatIsNeverAsked : public RecordSource {
 public:
  Result<ReplayBatch> Next(const Recovery::Want&) override {
    ADD_FAILURE() << "it was asked";
    return Error{EIO, "it was asked"};
  }
};

TEST_F(RecoveryTest, CancelledStartAsksForNoMore) {
  Holds(0, 5);
  Add("docs", At(2), Ended::kUnclean);
  Begin(kFollowing);
  SourceThatIsNeverAsked source;
  const std::atomic<bool> cancel = true;
  const Status run = RunRecovery(recovery(), source, &cancel);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ECANCELED);
}

}  // namespace
}  // namespace hawser::test
