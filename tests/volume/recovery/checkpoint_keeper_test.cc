// When a checkpoint is written, and what it may promise.
#include "volume/recovery/checkpoint_keeper.h"

#include "tests/support/ok.h"
#include "tests/volume/recovery/recovery_fixture.h"

namespace hawser::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CheckpointKeeperTest : public ::testing::Test {
 protected:
  CheckpointKeeper::Begun Begin(const Progress& applied, Beyond beyond = Beyond::kReplayed) {
    const auto begun = keeper_.Begin(applied, beyond);
    EXPECT_OK(begun);
    return *begun;
  }

  Log log_;
  LoggedPlace place_{"docs", log_};
  CheckpointKeeper keeper_{place_, At(3)};
};

class FullFolder : public LoggedPlace {
 public:
  using LoggedPlace::LoggedPlace;
  Status Write(const Checkpoint& written) override {
    if (full) return Error{ENOSPC, "the state folder is full"};
    return LoggedPlace::Write(written);
  }
  bool full = true;
};

TEST_F(CheckpointKeeperTest, IsDueWhenTheStoreHasGotFurther) {
  EXPECT_FALSE(keeper_.due(At(3)));
  EXPECT_TRUE(keeper_.due(At(4)));
}

TEST_F(CheckpointKeeperTest, NothingIsWrittenBeforeTheFlushHasSucceeded) {
  const auto begun = Begin(At(5));
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_EQ(keeper_.last(), At(3));
  ASSERT_OK(keeper_.End(begun, {}));
  EXPECT_THAT(log_, ElementsAre("docs: checkpoint 5"));
  EXPECT_EQ(keeper_.last(), At(5));
}

TEST_F(CheckpointKeeperTest, PromisesWhatTheStoreHadBeforeTheFlush) {
  Progress applied = At(5);
  const auto begun = Begin(applied);
  applied = At(9);  // while it is flushed
  ASSERT_OK(keeper_.End(begun, {}));
  EXPECT_EQ(place_.checkpoint->progress, At(5));
  EXPECT_TRUE(keeper_.due(applied));
}

TEST_F(CheckpointKeeperTest, IsCleanOnlyWhenNothingLiesBeyond) {
  ASSERT_OK(keeper_.End(Begin(At(5), Beyond::kReplayed), {}));
  ASSERT_OK(keeper_.End(Begin(At(5), Beyond::kNothing), {}));
  EXPECT_THAT(log_, ElementsAre("docs: checkpoint 5", "docs: checkpoint 5, clean"));
}

TEST_F(CheckpointKeeperTest, FailedFlushKeepsTheOldCheckpointForGood) {
  EXPECT_EQ(keeper_.End(Begin(At(5)), Error{EIO, "the disk fails"}).error().code, EIO);
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_EQ(keeper_.last(), At(3));
  EXPECT_FALSE(keeper_.due(At(7)));
  ASSERT_TRUE(keeper_.failure());
  EXPECT_EQ(keeper_.failure()->message, "the disk fails");
  // Not with the end of the process either.
  const auto again = keeper_.Begin(At(7), Beyond::kNothing);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, "the disk fails");
}

TEST_F(CheckpointKeeperTest, CheckpointThatCouldNotBeWrittenIsWrittenLater) {
  FullFolder folder("docs", log_);
  CheckpointKeeper keeper(folder, At(3));
  EXPECT_FALSE(keeper.End(*keeper.Begin(At(5), Beyond::kReplayed), {}));
  EXPECT_EQ(keeper.last(), At(3));
  EXPECT_FALSE(keeper.failure());
  EXPECT_TRUE(keeper.due(At(5)));
  EXPECT_THAT(keeper.trouble().value_or(""), HasSubstr("the state folder is full"));
  folder.full = false;
  ASSERT_OK(keeper.End(*keeper.Begin(At(6), Beyond::kReplayed), {}));
  EXPECT_FALSE(keeper.trouble());
  EXPECT_EQ(keeper.last(), At(6));
}

// ---- marks

TEST_F(CheckpointKeeperTest, TheStoreIsToCarryTheNewMarkBesideTheOneInPlace) {
  place_.checkpoint = Checkpoint{At(3), true, 77};
  const auto first = Begin(At(5));
  EXPECT_EQ(first.marks.before, 77U);
  EXPECT_NE(first.marks.newest, 0U);
  EXPECT_NE(first.marks.newest, 77U);
  ASSERT_OK(keeper_.End(first, {}));
  EXPECT_EQ(place_.checkpoint->mark, first.marks.newest);
  const auto second = Begin(At(6));
  EXPECT_EQ(second.marks.before, first.marks.newest);
  EXPECT_NE(second.marks.newest, first.marks.newest);
}

// Whether one that failed to be written is there all the same, nobody knows.
TEST_F(CheckpointKeeperTest, AfterAWriteThatFailedTheStoreCarriesBothThatMayBeInPlace) {
  FullFolder folder("docs", log_);
  folder.checkpoint = Checkpoint{At(3), false, 77};
  CheckpointKeeper keeper(folder, At(3));
  const auto first = *keeper.Begin(At(5), Beyond::kReplayed);
  EXPECT_FALSE(keeper.End(first, {}));
  const auto second = *keeper.Begin(At(6), Beyond::kReplayed);
  EXPECT_EQ(second.marks.newest, first.marks.newest);
  EXPECT_EQ(second.marks.before, first.marks.before);
}

TEST_F(CheckpointKeeperTest, AStoreThatTakesNoMarkHindersTheCheckpointForNow) {
  EXPECT_EQ(keeper_.Hindered({ENOSPC, "the store takes no mark"}).code, ENOSPC);
  EXPECT_FALSE(keeper_.failure());
  EXPECT_THAT(keeper_.trouble().value_or(""), HasSubstr("the store takes no mark"));
  ASSERT_OK(keeper_.End(Begin(At(5)), {}));
  EXPECT_FALSE(keeper_.trouble());
}

}  // namespace
}  // namespace hawser::test
