// Each disk that can be full, on small filesystems of their own: who waits, who gets ENOSPC, who says what;
// and that all goes on by itself once there is room.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "common/base/bytes.h"
#include "tests/crash/trial.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

// More than a segment of a journal: a new one has to begin. Nearly one: the next one begins soon.
constexpr int kMoreThanASegment = 80;
constexpr int kNearlyASegment = 58;

class FullDiskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!SmallDisk::Available()) GTEST_SKIP() << "needs root and loop devices";
  }

  void Start(const GroupOptions& options) {
    auto trial = Trial::Start(1, options);
    ASSERT_OK(trial);
    trial_ = *std::move(trial);
    ASSERT_OK(trial_->load().AwaitProgress());
  }

  Group& group() { return trial_->group(); }

  // The errno of the first block that cannot be written; 0: all could.
  int WriteMebibytes(const std::string& path, int count) {
    const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    if (!fd) return errno;
    const std::string block(kMiB, 'm');
    for (int i = 0; i < count; ++i)
      if (write(fd.get(), block.data(), block.size()) != static_cast<ssize_t>(block.size())) return errno;
    return 0;
  }

  std::string Big(const std::string& volume) { return group().Mount(PrimaryOf(volume), volume) + "/big"; }

  void ExpectState(const std::string& process, const std::string& state) {
    std::string last;
    EXPECT_TRUE(WaitUntil([&] { return (last = group().StateOf(process)).starts_with(state); })) << last;
    std::printf("%s: %s\n", process.c_str(), last.c_str());
  }

  void ExpectAllWellWithoutHelp() {
    EXPECT_OK(trial_->Settle());
    EXPECT_EQ(trial_->tally().lost, 0u);
    for (const std::string& process : kProcesses) EXPECT_TRUE(group().IsRunning(process)) << process;
  }

  std::unique_ptr<Trial> trial_;
};

TEST_F(FullDiskTest, RelayHoldsItsWritersUntilThereIsRoom) {
  ASSERT_NO_FATAL_FAILURE(Start(GroupOptions{
      .disks = {{"relay", 300 * kMiB}},
      .relay_keys = {{"keep", "{ size: 10GiB, time: 24h, free: 128MiB }"}, {"when_full", "hold_writers"}}}));
  ASSERT_OK(group().disk("relay").Fill(20 * kMiB));
  ExpectState("relay", "holding_writers: ");
  // Calls that were answered just before are noted a moment later.
  EXPECT_TRUE(WaitUntil([&] {
    const auto held = trial_->load().Acknowledged();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return trial_->load().Acknowledged() == held;
  })) << "writers go on although they are held";
  group().disk("relay").MakeRoom();
  ExpectAllWellWithoutHelp();
}

TEST_F(FullDiskTest, RelayWithNotAByteLeftAnswersClearlyAndItsJournalStaysWhole) {
  ASSERT_NO_FATAL_FAILURE(Start(GroupOptions{
      .disks = {{"relay", 300 * kMiB}},
      .relay_keys = {{"keep", "{ size: 10GiB, time: 24h, free: 128MiB }"}, {"when_full", "hold_writers"}}}));
  const pid_t relay = group().PidOf("relay");
  ASSERT_EQ(WriteMebibytes(Big("docs"), kNearlyASegment), 0);
  ASSERT_OK(group().disk("relay").Fill());
  std::atomic<int> error = -1;
  std::thread caller([&] { error = WriteMebibytes(Big("mail"), kMoreThanASegment); });
  // Refused, or held: the relay looks at its disk once a second. Either is clear, and ends with the room.
  EXPECT_TRUE(
      WaitUntil([&] { return error > 0 || group().StateOf("relay").starts_with("holding_writers"); }));
  std::printf("errno %d, relay %s\n", error.load(), group().StateOf("relay").c_str());
  group().disk("relay").MakeRoom();
  caller.join();
  EXPECT_TRUE(error == 0 || error == ENOSPC) << error;
  ExpectAllWellWithoutHelp();
  EXPECT_EQ(group().PidOf("relay"), relay) << "it was started again";
}

// A disk for two segments and a bit. One of them has gone when charlie goes off; then they fill it.
TEST_F(FullDiskTest, RelayGivesUpASecondaryThatIsOffAndItsWritersGoOn) {
  ASSERT_NO_FATAL_FAILURE(Start(GroupOptions{
      .disks = {{"relay", 300 * kMiB}},
      .relay_keys = {{"keep", "{ size: 10GiB, time: 24h, free: 170MiB }"}, {"when_full", "drop_slowest"}}}));
  ASSERT_EQ(WriteMebibytes(Big("docs"), kMoreThanASegment), 0);
  ASSERT_TRUE(WaitUntil([&] {
    const auto status = group().GetStatus();
    return status && (*status)["relay"]["journal_bytes"] == 64 * kMiB;
  })) << "the first segment stays";
  trial_->Kill("charlie");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(WriteMebibytes(Big("docs"), kMoreThanASegment), 0);
  ExpectState("charlie", "needs_sync: ");
  EXPECT_OK(trial_->load().AwaitProgress());
  ExpectState("relay", "live");
  ExpectState("alpha", "live");
  ExpectState("delta", "live");
  ASSERT_OK(group().Start());
  ExpectState("charlie", "needs_sync: ");
}

TEST_F(FullDiskTest, SecondaryWithAFullStoreStallsAloneAndGoesOnByItself) {
  ASSERT_NO_FATAL_FAILURE(Start(GroupOptions{.disks = {{"charlie/docs", 64 * kMiB}}, .relay_keys = {}}));
  ASSERT_OK(group().disk("charlie/docs").Fill());
  ExpectState("charlie", "stalled: ");
  EXPECT_OK(trial_->load().AwaitProgress());
  ExpectState("delta", "live");
  group().disk("charlie/docs").MakeRoom();
  ExpectAllWellWithoutHelp();
}

// What it had received and couldn't apply is to be redone.
TEST_F(FullDiskTest, SecondaryThatIsStartedWithAFullStoreStallsAndGoesOnByItself) {
  ASSERT_NO_FATAL_FAILURE(Start(GroupOptions{.disks = {{"charlie/docs", 64 * kMiB}}, .relay_keys = {}}));
  ASSERT_OK(group().disk("charlie/docs").Fill());
  ExpectState("charlie", "stalled: replay waits");
  trial_->Kill("charlie");
  ASSERT_OK(group().Start());
  ExpectState("charlie", "stalled: after an unclean end the copies wait for volume docs");
  for (const char* volume : {"docs", "mail"}) {
    EXPECT_LT(open(group().Mount("charlie", volume).c_str(), O_RDONLY | O_DIRECTORY), 0) << volume;
    EXPECT_EQ(errno, ENODATA) << volume;
  }
  EXPECT_OK(trial_->load().AwaitProgress());
  ExpectState("delta", "live");
  const pid_t charlie = group().PidOf("charlie");
  group().disk("charlie/docs").MakeRoom();
  ExpectAllWellWithoutHelp();
  EXPECT_EQ(group().PidOf("charlie"), charlie) << "it was started again";
}

TEST_F(FullDiskTest, SecondaryWithAFullJournalStallsAloneAndGoesOnByItself) {
  ASSERT_NO_FATAL_FAILURE(Start(GroupOptions{.disks = {{"delta/state", 300 * kMiB}}, .relay_keys = {}}));
  ASSERT_OK(group().disk("delta/state").Fill());
  EXPECT_EQ(WriteMebibytes(Big("docs"), kMoreThanASegment), 0);
  ExpectState("delta", "stalled: ");
  EXPECT_OK(trial_->load().AwaitProgress());
  ExpectState("charlie", "live");
  group().disk("delta/state").MakeRoom();
  ExpectAllWellWithoutHelp();
}

TEST_F(FullDiskTest, CallersGetEnospcWhenThePrimarysStoreIsFullAndAllReplicasStayEqual) {
  ASSERT_NO_FATAL_FAILURE(Start(GroupOptions{.disks = {{"alpha/docs", 64 * kMiB}}, .relay_keys = {}}));
  trial_->ExpectTakingBack();
  ASSERT_OK(group().disk("alpha/docs").Fill());
  EXPECT_EQ(WriteMebibytes(Big("docs"), 1), ENOSPC);
  // The other volume is none the worse.
  EXPECT_EQ(WriteMebibytes(Big("mail"), 1), 0);
  ASSERT_OK(trial_->load().Stop());
  EXPECT_EQ(trial_->load().Violations(), "");
  EXPECT_OK(group().AwaitCaughtUp());
  EXPECT_OK(group().CompareStores());
  trial_->load().Start();
  group().disk("alpha/docs").MakeRoom();
  ExpectAllWellWithoutHelp();
}

}  // namespace
}  // namespace hawser::test
