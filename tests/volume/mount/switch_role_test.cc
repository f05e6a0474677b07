// A volume changes its role: what its calls meet, and what the kernel is told. The test plays the kernel.
#include "volume/mount/switch_role.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "tests/support/local_role.h"
#include "tests/support/process.h"
#include "tests/volume/mount/served_volume.h"

namespace hawser {
namespace {

using test::FakeKernel;
using testing::UnorderedElementsAre;

// A role whose changes wait for a relay that is away.
class WaitingRole : public LocalCopy {
 public:
  explicit WaitingRole(bool heeds_end) : heeds_end_(heeds_end) {}

  bool writable() const override { return true; }
  Status Mutate(const Mutation&) override {
    const MutexLock lock(mutex_);
    ++waiting_;
    changed_.NotifyAll();
    while (!released_) changed_.Wait(mutex_);
    return Error{EIO, "the role has ended"};
  }
  void End() override {
    if (heeds_end_) Release();
  }

  void Release() {
    const MutexLock lock(mutex_);
    released_ = true;
    changed_.NotifyAll();
  }
  bool AwaitCall() {
    const MutexLock lock(mutex_);
    const Deadline deadline = SteadyClock::now() + test::kPatience;
    while (waiting_ == 0)
      if (!changed_.WaitUntil(mutex_, deadline)) return false;
    return true;
  }

 private:
  const bool heeds_end_;
  Mutex mutex_;
  CondVar changed_;
  int waiting_ HAWSER_GUARDED_BY(mutex_) = 0;
  bool released_ HAWSER_GUARDED_BY(mutex_) = false;
};

class SwitchRoleTest : public test::ServedVolumeTest {
 protected:
  static Deadline Soon() { return SteadyClock::now() + test::kPatience; }

  Status SwitchTo(std::shared_ptr<Role> role, Deadline deadline = Soon()) {
    return SwitchRole(*volume_, session_.get(), std::move(role), deadline);
  }
  std::uint64_t SendMkdir(const std::string& name) {
    fuse_mkdir_in mkdir{};
    mkdir.mode = 0755;
    return kernel_->Send(FUSE_MKDIR, FUSE_ROOT_ID, FakeKernel::Body(mkdir, {name}));
  }
  std::uint64_t MakeDirectory(std::uint64_t parent, const std::string& name) {
    fuse_mkdir_in mkdir{};
    mkdir.mode = 0755;
    const auto reply = kernel_->Call(FUSE_MKDIR, parent, FakeKernel::Body(mkdir, {name}));
    EXPECT_EQ(reply.error, 0);
    return reply.As<fuse_entry_out>().nodeid;
  }
  int GetRootAttributes() {
    return kernel_->Call(FUSE_GETATTR, FUSE_ROOT_ID, FakeKernel::Body(fuse_getattr_in{})).error;
  }
};

FakeKernel::Notice Node(std::uint64_t node) { return {FUSE_NOTIFY_INVAL_INODE, node, "", false}; }
FakeKernel::Notice Name(std::uint64_t parent, const std::string& name) {
  return {FUSE_NOTIFY_INVAL_ENTRY, parent, name, true};
}

TEST_F(SwitchRoleTest, TheKernelForgetsEveryNodeAndEveryNameAlsoOfWhatIsNotThere) {
  Begin(std::make_shared<LocalRole>(*volume_));
  const std::uint64_t directory = MakeDirectory(FUSE_ROOT_ID, "d");
  const std::uint64_t inner = MakeDirectory(directory, "inner");
  EXPECT_EQ(Lookup(directory, "nothing").As<fuse_entry_out>().nodeid, 0U);
  ASSERT_TRUE(SwitchTo(std::make_shared<LocalCopy>()));
  EXPECT_THAT(kernel_->TakeNotices(),
              UnorderedElementsAre(Node(FUSE_ROOT_ID), Node(directory), Node(inner), Name(FUSE_ROOT_ID, "d"),
                                   Name(directory, "inner"), Name(directory, "nothing")));
}

TEST_F(SwitchRoleTest, WhatTheNewRoleAnswersIsKeptForAsLongAsItSays) {
  Begin(std::make_shared<LocalRole>(*volume_));
  MakeDirectory(FUSE_ROOT_ID, "d");
  EXPECT_GT(Lookup(FUSE_ROOT_ID, "d").As<fuse_entry_out>().entry_valid, 0U);
  ASSERT_TRUE(SwitchTo(std::make_shared<LocalCopy>()));
  kernel_->TakeNotices();
  EXPECT_EQ(Lookup(FUSE_ROOT_ID, "d").As<fuse_entry_out>().entry_valid, 0U);
  EXPECT_EQ(Lookup(FUSE_ROOT_ID, "nothing").As<fuse_entry_out>().entry_valid, 0U);
}

TEST_F(SwitchRoleTest, CallsThatWaitInTheOldRoleAreTold) {
  const auto waiting = std::make_shared<WaitingRole>(true);
  Begin(waiting);
  const std::uint64_t change = SendMkdir("d");
  ASSERT_TRUE(waiting->AwaitCall());
  ASSERT_TRUE(SwitchTo(std::make_shared<LocalCopy>()));
  const auto told = kernel_->Receive();  // before the kernel was told to forget: its call was over by then
  EXPECT_EQ(told.unique, change);
  EXPECT_EQ(told.reply.error, EIO);
  EXPECT_EQ(kernel_->TakeNotices(), std::vector{Node(FUSE_ROOT_ID)});
}

TEST_F(SwitchRoleTest, CallsThatComeDuringTheSwitchFindTheNewRole) {
  const auto waiting = std::make_shared<WaitingRole>(false);
  Begin(waiting);
  const std::uint64_t before = SendMkdir("before");
  ASSERT_TRUE(waiting->AwaitCall());
  std::thread switcher([&] { EXPECT_TRUE(SwitchTo(std::make_shared<LocalRole>(*volume_))); });
  EXPECT_TRUE(test::WaitUntil([&] { return volume_->roles().changing(); }));
  const std::uint64_t during = SendMkdir("during");
  waiting->Release();
  switcher.join();
  std::map<std::uint64_t, int> errors;  // by request; 0: notices
  while (!errors.contains(during) && !HasFailure()) {
    const auto received = kernel_->Receive();
    errors[received.unique] = received.reply.error;
  }
  EXPECT_EQ(errors[before], EIO);
  EXPECT_EQ(errors[during], 0);
}

TEST_F(SwitchRoleTest, ACallThatDoesNotEndKeepsTheOldRoleAndReadersGoOn) {
  const auto waiting = std::make_shared<WaitingRole>(false);
  Begin(waiting);
  SendMkdir("d");
  ASSERT_TRUE(waiting->AwaitCall());
  const Status switched = SwitchTo(std::make_shared<LocalCopy>(), SteadyClock::now());
  ASSERT_FALSE(switched);
  EXPECT_EQ(switched.error().code, ETIMEDOUT);
  EXPECT_EQ(GetRootAttributes(), 0);
  waiting->Release();
  EXPECT_EQ(kernel_->Receive().reply.error, EIO);
  EXPECT_TRUE(SwitchTo(std::make_shared<LocalCopy>()));
}

}  // namespace
}  // namespace hawser
