#include "node/primary_role.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/fuse_primary/held_relay.h"
#include "tests/support/ok.h"
#include "tests/support/temp_dir.h"

namespace hawser::test {
namespace {

// Each record is a group of its own.
std::vector<Answer> JournalAll(const HeldRelay::Numbers& numbers, int) {
  std::vector<Answer> answers;
  for (const std::uint64_t number : numbers) {
    Progress group;
    group.position = {.journal = {}, .sequence = Sequence(number), .group = Group(number), .digest = {}};
    answers.emplace_back(Ack{Sequence(number), group});
  }
  return answers;
}

class PrimaryRoleTest : public ::testing::Test {
 protected:
  PrimaryRoleTest() {
    auto store = Store::Open({dir_.path(), group_, VolumeName("docs")});
    EXPECT_OK(store);
    volume_ = std::make_unique<Volume>(*std::move(store));
  }
  std::unique_ptr<PrimaryRole> Begin() {
    const PrimaryRole::Parts parts{*volume_, config_,           checkpoint_, group_,
                                   context_, relay_.endpoint(), shipper_};
    auto role = PrimaryRole::Begin(
        parts, Welcome{}, Generation(1), [](const Setback&) {}, watch_);
    EXPECT_OK(role);
    return *std::move(role);
  }

  TempDir dir_;
  TempDir state_;
  const std::string group_ = "test";
  const VolumeConfig config_;
  CheckpointFile checkpoint_{state_ / "checkpoint"};
  std::unique_ptr<Volume> volume_;
  NetContext context_;
  HeldRelay relay_;
  KnownHead known_;
  Shipper shipper_{context_, relay_.endpoint(), NodeName("alpha"), 1, known_};
  std::atomic<bool> cancel_ = false;
  StartWatch watch_{&cancel_};
};

TEST_F(PrimaryRoleTest, AnOpeningThatIsGivenUpLeavesNoCheckpointSoThatTheNextStartDoesItAgain) {
  const auto role = Begin();
  std::thread ending([&] {
    EXPECT_TRUE(relay_.AwaitBatches(1));  // the root is on its way, and not answered
    cancel_ = true;
  });
  const Status opened = role->Open(watch_);
  ending.join();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ECANCELED);
  EXPECT_OK(role->End(/*in_order=*/true));
  EXPECT_FALSE(*checkpoint_.Read()) << "the root would never be journaled";
}

TEST_F(PrimaryRoleTest, OnceTheRootIsJournaledThereIsACheckpoint) {
  const auto role = Begin();
  relay_.AnswerNow(JournalAll);
  ASSERT_OK(role->Open(watch_));
  EXPECT_TRUE(*checkpoint_.Read());
  EXPECT_OK(role->End(/*in_order=*/true));
}

}  // namespace
}  // namespace hawser::test
