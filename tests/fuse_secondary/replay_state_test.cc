// What replay decides when stores take records, and when they don't.
#include "fuse_secondary/replay_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "volume/store/store.h"

namespace hawser {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Progress At(std::uint64_t group) {
  Progress progress;
  progress.position.sequence = Sequence(group * 10);
  progress.position.group = Group(group);
  return progress;
}

class NotedPlace : public CheckpointPlace {
 public:
  Result<std::optional<Checkpoint>> Read() const override { return std::optional<Checkpoint>(); }
  Status Write(const Checkpoint&) override { return {}; }
  Result<std::optional<std::string>> ReadDivergence() const override { return std::optional<std::string>(); }
  Status NoteDivergence(const std::string& problem) override {
    notes.push_back(problem);
    return {};
  }
  Result<Buffer> ReadDifferences(Sequence) const override { return Buffer(); }
  Status WriteDifferences(Sequence, Sequence, Bytes) override { return {}; }
  std::vector<std::string> notes;
};

// A store that is only asked.
class AskedStore : public RecoverableStore {
 public:
  bool is_new() const override { return false; }
  Result<StoreMarks> Marks() const override { return StoreMarks{}; }
  Status Apply(const Record&, Bytes) override { return {}; }
  Status ApplyAnyhow(const Record&, Bytes, bool) override { return {}; }
  Status ApplyDiffering(const Record&, Bytes) override { return {}; }
  void ApplyFolderTimes(const Record&) override {}
  bool HasRoom(std::uint64_t) const override { return has_room; }
  bool HasOtherNames(const StorePath&) const override { return false; }
  Result<std::set<FileId>> Present(const std::set<FileId>& files) const override { return files; }
  Status Repeat(const Record&, Bytes) override { return {}; }
  void Expect(const Record&) override {}
  Status Redo(const Record&, Bytes, bool) override { return {}; }
  Status RedoAgain(const Record&, Bytes, bool) override { return {}; }
  Status FinishRedo(bool) override { return {}; }
  Status RemoveLeft() override { return {}; }

  bool has_room = false;
};

// Two volumes, docs and mail; each group has a record of each.
class ReplayStateTest : public testing::Test {
 protected:
  static constexpr std::size_t kDocs = 0;
  static constexpr std::size_t kMail = 1;

  void Start(const Progress& docs, const Progress& mail) {
    std::vector<VolumeStand> stands(2);
    stands[kDocs].name = VolumeName("docs");
    stands[kDocs].applied = docs;
    stands[kMail].name = VolumeName("mail");
    stands[kMail].applied = mail;
    const auto day = std::chrono::hours(24);
    board_.emplace(BoardOptions{.disconnected_after = day, .live_within = day}, At(9), std::move(stands));
    state_.emplace(At(3), std::vector<ReplayedVolume>{{&docs_, &store_, "/docs"}, {&mail_, &store_, "/mail"}},
                   *board_);
  }

  static ReplayGroup GroupOf(std::uint64_t number) {
    ReplayGroup group;
    group.end = At(number);
    for (const std::size_t volume : {kDocs, kMail})
      group.records.push_back({volume, Record{}, {}, Sequence(number * 10 - 1 + volume)});
    return group;
  }
  static GroupFailure Failure(std::size_t volume, int code) { return {volume, volume, Error{code, "no"}}; }
  void Pass(const ReplayGroup& group) { state_->Passed(std::span(&group, 1)); }
  Condition ConditionOf(std::size_t volume) const { return board_->volume(volume).condition; }

  void Fail(const std::vector<GroupFailure>& failures) {
    for (const GroupFailure& failure : failures) ++state_->Enter(*group_).tried[failure.record];
    state_->Wait(state_->Settle(failures, [this](Sequence refused) { return remedied_.contains(refused); }));
  }

  AskedStore store_;
  std::set<Sequence> remedied_;
  const ReplayGroup* group_ = nullptr;
  NotedPlace docs_;
  NotedPlace mail_;
  std::optional<ReplicaBoard> board_;
  std::optional<ReplayState> state_;
};

TEST_F(ReplayStateTest, AllOfAGroupIsAppliedAndTheBoardIsTold) {
  Start(At(3), At(3));
  const ReplayGroup group = GroupOf(4);
  group_ = &group;
  EXPECT_THAT(state_->Enter(group).done, ElementsAre(0, 0));
  EXPECT_TRUE(state_->within_group());
  state_->Applied();
  Pass(group);
  EXPECT_FALSE(state_->within_group());
  EXPECT_EQ(state_->at(), At(4));
  EXPECT_EQ(board_->volume(kDocs).applied, At(4));
  EXPECT_EQ(board_->volume(kMail).applied, At(4));
}

TEST_F(ReplayStateTest, VolumeThatIsAheadIsLeftAloneUpToThere) {
  Start(At(3), At(4));
  const ReplayGroup group = GroupOf(4);
  group_ = &group;
  EXPECT_THAT(state_->Enter(group).done, ElementsAre(0, 1));
  state_->Applied();
  Pass(group);
  EXPECT_TRUE(state_->active(kMail));
  const ReplayGroup later = GroupOf(5);
  EXPECT_THAT(state_->Enter(later).done, ElementsAre(0, 0));
}

TEST_F(ReplayStateTest, VolumeThatWasAheadInAnotherHistoryIsADivergence) {
  Progress other = At(4);
  other.position.digest.bytes[0] = std::byte{1};
  Start(At(3), other);
  const ReplayGroup group = GroupOf(4);
  group_ = &group;
  state_->Enter(group);
  state_->Applied();
  Pass(group);
  EXPECT_EQ(ConditionOf(kMail), Condition::kDiverged);
  EXPECT_FALSE(state_->active(kMail));
  EXPECT_EQ(ConditionOf(kDocs), Condition::kFine);
}

TEST_F(ReplayStateTest, DivergenceStopsItsVolumeAndIsNoted) {
  Start(At(3), At(3));
  const ReplayGroup group = GroupOf(4);
  group_ = &group;
  state_->Enter(group).done[kMail] = 1;
  Fail({Failure(kDocs, kStoreDiverged)});
  EXPECT_EQ(ConditionOf(kDocs), Condition::kDiverged);
  EXPECT_THAT(docs_.notes, ElementsAre(HasSubstr("before group 4")));
  EXPECT_FALSE(state_->stalled());
  // Nothing of the group is missing any more.
  EXPECT_THAT(state_->Enter(group).done, ElementsAre(1, 1));
  state_->Applied();
  Pass(group);
  EXPECT_EQ(board_->volume(kDocs).applied, At(3));
  EXPECT_EQ(board_->volume(kMail).applied, At(4));
}

TEST_F(ReplayStateTest, FullStoreHoldsBothVolumesUntilTheGroupIsApplied) {
  Start(At(3), At(3));
  const ReplayGroup group = GroupOf(4);
  group_ = &group;
  state_->Enter(group).done[kDocs] = 1;
  Fail({Failure(kMail, ENOSPC)});
  EXPECT_TRUE(state_->stalled());
  EXPECT_EQ(ConditionOf(kDocs), Condition::kStalled);
  EXPECT_EQ(ConditionOf(kMail), Condition::kStalled);
  EXPECT_THAT(board_->volume(kDocs).problem, HasSubstr("whose store '/mail' does not take a record"));
  // Only what is missing is tried again.
  EXPECT_THAT(state_->Enter(group).done, ElementsAre(1, 0));
  state_->Applied();
  Pass(group);
  EXPECT_FALSE(state_->stalled());
  EXPECT_EQ(ConditionOf(kMail), Condition::kFine);
  EXPECT_THAT(mail_.notes, IsEmpty());
}

TEST_F(ReplayStateTest, DivergedVolumeDoesntWaitForTheFullOne) {
  Start(At(3), At(3));
  const ReplayGroup group = GroupOf(4);
  group_ = &group;
  state_->Enter(group);
  Fail({Failure(kDocs, kStoreDiverged), Failure(kMail, ENOSPC)});
  EXPECT_EQ(ConditionOf(kDocs), Condition::kDiverged);
  EXPECT_EQ(ConditionOf(kMail), Condition::kStalled);
}

TEST_F(ReplayStateTest, RecordThatAStoreWillNeverTakeIsNamedAndGoneOnWithout) {
  Start(At(3), At(3));
  ReplayGroup group = GroupOf(4);
  group.records[kMail].record =
      Record{VolumeName("mail"), Generation(1), {}, SetAttr{FileId(7), {}, 1, {}, {}, {}, {}}};
  group_ = &group;
  state_->Enter(group).done[kDocs] = 1;
  Fail({Failure(kMail, EPERM)});
  EXPECT_FALSE(state_->stalled());
  EXPECT_THAT(state_->Enter(group).done, ElementsAre(1, 1));
  EXPECT_TRUE(board_->volume(kMail).differences.empty()) << "before the group can be seen";
  state_->Applied();
  Pass(group);
  EXPECT_EQ(board_->volume(kMail).applied, At(4));
  EXPECT_EQ(board_->volume(kMail).differences.entries().size(), 1u);
  EXPECT_TRUE(board_->volume(kDocs).differences.empty());
  EXPECT_EQ(board_->Reports()[kMail].differences, 1u);
  EXPECT_THAT(board_->Reports()[kMail].problem, HasSubstr("not what the journal says"));
}

TEST_F(ReplayStateTest, RecordThatThePrimaryHasMadeUpForIsGoneOnWithoutAWord) {
  for (const int code : {EPERM, ENOSPC}) {
    Start(At(3), At(3));
    const ReplayGroup group = GroupOf(4);
    group_ = &group;
    state_->Enter(group).done[kDocs] = 1;
    remedied_ = {group.records[kMail].sequence};
    Fail({Failure(kMail, code)});
    EXPECT_FALSE(state_->stalled());
    EXPECT_THAT(state_->Enter(group).done, ElementsAre(1, 1));
    state_->Applied();
    Pass(group);
    EXPECT_TRUE(board_->volume(kMail).differences.empty());
  }
}

TEST_F(ReplayStateTest, NoRoomThoughThereIsRoomIsTriedAgainAtOnceAndThenGoneOnWithout) {
  Start(At(3), At(3));
  ReplayGroup group = GroupOf(4);
  group.records[kMail].record =
      Record{VolumeName("mail"), Generation(1), {}, SetXattr{FileId(7), {}, "user.x"}};
  group_ = &group;
  store_.has_room = true;
  state_->Enter(group).done[kDocs] = 1;
  Fail({Failure(kMail, ENOSPC)});
  EXPECT_FALSE(state_->stalled());
  EXPECT_THAT(state_->Enter(group).done, ElementsAre(1, 0));
  Fail({Failure(kMail, ENOSPC)});
  EXPECT_THAT(state_->Enter(group).done, ElementsAre(1, 1));
}

TEST_F(ReplayStateTest, VolumeThatSomebodyElseHasStoppedIsLeftAlone) {
  Start(At(3), At(3));
  board_->SetVolume(kDocs, Condition::kFailed, "its disk fails");
  state_->LookAtBoard();
  EXPECT_FALSE(state_->active(kDocs));
  const ReplayGroup group = GroupOf(4);
  group_ = &group;
  EXPECT_THAT(state_->Enter(group).done, ElementsAre(1, 0));
  state_->Applied();
  Pass(group);
  EXPECT_EQ(board_->volume(kDocs).applied, At(3));
}

}  // namespace
}  // namespace hawser
