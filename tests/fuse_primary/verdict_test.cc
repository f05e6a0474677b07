#include "fuse_primary/verdict.h"

#include <gtest/gtest.h>

namespace hawser {
namespace {

using Meaning = Verdict::Meaning;

JournalId Journal(int id) {
  JournalId journal;
  journal.bytes[0] = static_cast<std::byte>(id);
  return journal;
}

Verdict JudgeAckIn(const JournalId& journal, Group group = Group(8)) {
  Ack ack;
  ack.group.position.journal = journal;
  ack.group.position.group = group;
  return Judge(ack, Journal(1), Group(7));
}
Verdict JudgeRefusal(RefusalCode code) { return Judge(Refusal{code, "why"}, Journal(1), Group(7)); }

TEST(Verdict, WhatIsAcknowledgedIsJournaled) {
  const Verdict verdict = JudgeAckIn(Journal(1));
  EXPECT_EQ(verdict.meaning, Meaning::kJournaled);
  EXPECT_FALSE(verdict.is_nowhere);
}

TEST(Verdict, AnotherJournalIsNotThisStoresBusiness) {
  const Verdict verdict = JudgeAckIn(Journal(2));
  EXPECT_EQ(verdict.meaning, Meaning::kOtherJournal);
  EXPECT_EQ(verdict.error.code, EIO);
  EXPECT_NE(verdict.error.message.find(Journal(2).Hex()), std::string::npos) << verdict.error.message;
  EXPECT_FALSE(verdict.is_nowhere);
}

// What was acknowledged before this record was sent is in no group of the journal any more, or in another.
TEST(Verdict, AJournalThatHasGoneBackIsNotGoneOnWith) {
  for (const Group group : {Group(7), Group(3)}) {
    const Verdict verdict = JudgeAckIn(Journal(1), group);
    EXPECT_EQ(verdict.meaning, Meaning::kOtherJournal);
    EXPECT_NE(verdict.error.message.find("gone back"), std::string::npos) << verdict.error.message;
    EXPECT_FALSE(verdict.is_nowhere);
  }
}

TEST(Verdict, OnlyWhatConcernsTheWholeVolumeIsASetback) {
  EXPECT_FALSE(SetbackOf(JudgeAckIn(Journal(1))));
  EXPECT_FALSE(SetbackOf(JudgeRefusal(RefusalCode::kJournalFull)));
  EXPECT_EQ(SetbackOf(JudgeRefusal(RefusalCode::kFenced))->kind, Setback::Kind::kFenced);
  EXPECT_EQ(SetbackOf(JudgeAckIn(Journal(2)))->kind, Setback::Kind::kDiverged);
}

TEST(Verdict, AFullJournalIsTheCallersErrorAndNothingMore) {
  const Verdict verdict = JudgeRefusal(RefusalCode::kJournalFull);
  EXPECT_EQ(verdict.meaning, Meaning::kRefused);
  EXPECT_EQ(verdict.error.code, ENOSPC);
  EXPECT_EQ(verdict.error.message, "why");
  EXPECT_TRUE(verdict.is_nowhere);
}

TEST(Verdict, WhoIsNotThePrimaryAnyMoreIsFenced) {
  for (const RefusalCode code : {RefusalCode::kFenced, RefusalCode::kNotPrimary}) {
    const Verdict verdict = JudgeRefusal(code);
    EXPECT_EQ(verdict.meaning, Meaning::kFenced);
    EXPECT_EQ(verdict.error.code, EROFS);
    EXPECT_TRUE(verdict.is_nowhere);
  }
}

// The relay asks for the session first: it doesn't say whether it had the record before the session ended.
TEST(Verdict, ASessionThatWasReplacedDoesNotKnowWhereItsRecordIs) {
  const Verdict verdict = JudgeRefusal(RefusalCode::kOldSession);
  EXPECT_EQ(verdict.meaning, Meaning::kFenced);
  EXPECT_FALSE(verdict.is_nowhere);
}

}  // namespace
}  // namespace hawser
