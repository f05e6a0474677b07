// Stores that refuse a record which is journaled already, whatever the reason: on a primary, on a copy, with
// a kill in between. Files that nobody may change (chattr +i, behind the mount) refuse what can't be
// foreseen.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

#include "common/base/bytes.h"
#include "common/base/unique_fd.h"
#include "tests/crash/group.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

class RefusedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!SmallDisk::Available()) GTEST_SKIP() << "needs root and loop devices";
  }
  void TearDown() override {
    for (const std::string& path : frozen_) Freeze(path, false);
    if (HasFailure() && group_ != nullptr) {
      for (const std::string process : {"alpha", "charlie"})
        std::fprintf(stderr, "---- %s\n%s", process.c_str(), group_->TailOfLog(process).c_str());
    }
  }

  void Start(const GroupOptions& options = {}) {
    auto group = Group::Make(options);
    ASSERT_OK(group);
    group_ = *std::move(group);
    ASSERT_OK(group_->Start());
  }
  // An orderly end: what comes before it isn't redone.
  void Restart(const std::string& node) {
    ASSERT_EQ(kill(group_->PidOf(node), SIGTERM), 0);
    ASSERT_TRUE(WaitUntil([&] { return !group_->IsRunning(node); }));
    ASSERT_OK(group_->Start());
  }
  std::string InMount(const std::string& path) const { return group_->Mount("alpha", "docs") + "/" + path; }
  std::string InStore(const std::string& node, const std::string& path) const {
    return group_->Store(node, "docs") + "/" + path;
  }

  // Nobody may change the file, or everybody may again.
  void Freeze(const std::string& path, bool frozen = true) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return;
    int flags = 0;
    ASSERT_EQ(ioctl(fd.get(), FS_IOC_GETFLAGS, &flags), 0);
    flags = frozen ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    ASSERT_EQ(ioctl(fd.get(), FS_IOC_SETFLAGS, &flags), 0);
    if (frozen) frozen_.push_back(path);
  }

  void Put(const std::string& name, const std::string& content) {
    const UniqueFd fd(open(InMount(name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    ASSERT_TRUE(fd) << strerrordesc_np(errno);
    ASSERT_EQ(write(fd.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()))
        << strerrordesc_np(errno);
  }

  static int ErrnoOf(int result) { return result == 0 ? 0 : errno; }

  std::string StateOfDocs(const std::string& node) const {
    const auto status = group_->GetStatus();
    if (!status) return "?";
    const auto docs = status->value(nlohmann::json::json_pointer("/nodes/" + node + "/volumes/docs"),
                                    nlohmann::json::object());
    return docs.value("state", "?") + ": " + docs.value("problem", "");
  }
  void ExpectState(const std::string& node, const std::string& state) {
    std::string last;
    EXPECT_TRUE(WaitUntil([&] { return (last = StateOfDocs(node)).starts_with(state); })) << last;
  }
  void ExpectAllEqual() {
    ASSERT_OK(group_->AwaitCaughtUp());
    EXPECT_OK(group_->CompareStores());
    for (const char* node : {"alpha", "charlie", "delta"}) ExpectState(node, "live");
  }

  std::unique_ptr<Group> group_;
  std::vector<std::string> frozen_;
};

// What a program may want of the file "f", which refuses it.
struct Wish {
  const char* name;
  std::function<int(const std::string& f)> call;
};

const std::vector<Wish>& Wishes() {
  static const std::vector<Wish> wishes = {
      {"chmod", [](const std::string& f) { return chmod(f.c_str(), 0600); }},
      {"chown", [](const std::string& f) { return chown(f.c_str(), 5, 6); }},
      {"setxattr", [](const std::string& f) { return setxattr(f.c_str(), "user.x", "y", 1, 0); }},
      {"truncate", [](const std::string& f) { return truncate(f.c_str(), 3); }},
      {"link", [](const std::string& f) { return link(f.c_str(), (f + ".link").c_str()); }},
      {"rename", [](const std::string& f) { return rename(f.c_str(), (f + ".moved").c_str()); }},
      {"rename onto another", [](const std::string& f) { return rename(f.c_str(), (f + ".other").c_str()); }},
      {"rename over", [](const std::string& f) { return rename((f + ".other").c_str(), f.c_str()); }},
      {"exchange",
       [](const std::string& f) {
         return renameat2(AT_FDCWD, f.c_str(), AT_FDCWD, (f + ".other").c_str(), RENAME_EXCHANGE);
       }},
      {"unlink", [](const std::string& f) { return unlink(f.c_str()); }},
  };
  return wishes;
}

TEST_F(RefusedTest, PrimaryJournalsWhatIsThereAndTheVolumeGoesOn) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_NO_FATAL_FAILURE(Put("f", "content of f"));
  ASSERT_NO_FATAL_FAILURE(Put("f.other", "content of the other"));
  ASSERT_NO_FATAL_FAILURE(Freeze(InStore("alpha", "f")));
  for (const Wish& wish : Wishes()) {
    EXPECT_EQ(ErrnoOf(wish.call(InMount("f"))), EPERM) << wish.name;
    ASSERT_NO_FATAL_FAILURE(Put("after", wish.name)) << "after " << wish.name;
    ExpectAllEqual();
  }
}

TEST_F(RefusedTest, PrimaryThatIsKilledInBetweenJournalsItAtItsNextStart) {
  for (const char* at : {"primary.refused:1", "primary.remedied:1", "primary.acknowledged:1"}) {
    for (const Wish& wish : Wishes()) {
      const std::string point = at;
      SCOPED_TRACE(point + ", " + wish.name);
      if (group_ == nullptr) {
        ASSERT_NO_FATAL_FAILURE(Start());
        ASSERT_NO_FATAL_FAILURE(Put("f", "content of f"));
        ASSERT_NO_FATAL_FAILURE(Put("f.other", "content of the other"));
        ASSERT_NO_FATAL_FAILURE(Restart("alpha"));
        ASSERT_NO_FATAL_FAILURE(Freeze(InStore("alpha", "f")));
      }
      group_->Kill("alpha");
      ASSERT_OK(group_->Launch("alpha", point));
      ASSERT_OK(group_->AwaitReady("alpha"));
      EXPECT_NE(ErrnoOf(wish.call(InMount("f"))), 0);
      ASSERT_TRUE(WaitUntil([&] { return !group_->IsRunning("alpha"); })) << "the point was not passed";
      ASSERT_OK(group_->Start());
      ASSERT_NO_FATAL_FAILURE(Put("after", wish.name));
      ExpectAllEqual();
    }
  }
}

// The remedy of its next start is journaled, and the relay gone before it says so.
TEST_F(RefusedTest, PrimaryThatIsStoppedWhileItWaitsToMakeUpDoesSoAtItsNextStart) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_NO_FATAL_FAILURE(Put("f", "content"));
  ASSERT_NO_FATAL_FAILURE(Restart("alpha"));
  ASSERT_NO_FATAL_FAILURE(Freeze(InStore("alpha", "f")));
  group_->Kill("alpha");
  ASSERT_OK(group_->Launch("alpha", "primary.refused:1"));
  ASSERT_OK(group_->AwaitReady("alpha"));
  EXPECT_NE(chmod(InMount("f").c_str(), 0600), 0);
  ASSERT_TRUE(WaitUntil([&] { return !group_->IsRunning("alpha"); }));
  ASSERT_OK(group_->AwaitCaughtUp());

  group_->Kill("relay");
  ASSERT_OK(group_->Launch("relay", "relay.flushed:2"));  // behind alpha's session
  ASSERT_OK(group_->AwaitReady("relay"));
  ASSERT_OK(group_->Launch("alpha"));
  ASSERT_TRUE(WaitUntil([&] { return !group_->IsRunning("relay"); }));
  constexpr std::chrono::seconds kMoment{10};
  ASSERT_OK(group_->Stop("alpha", SIGTERM, kMoment));
  ASSERT_OK(group_->Start());
  ASSERT_NO_FATAL_FAILURE(Put("after", "goes on"));
  ExpectAllEqual();
}

TEST_F(RefusedTest, CopyNamesThePathAndGoesOnWithEverythingElse) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_NO_FATAL_FAILURE(Put("f", "content"));
  ASSERT_OK(group_->AwaitCaughtUp());
  ASSERT_NO_FATAL_FAILURE(Restart("charlie"));
  ASSERT_NO_FATAL_FAILURE(Freeze(InStore("charlie", "f")));
  ASSERT_EQ(chmod(InMount("f").c_str(), 0600), 0);
  ExpectState("charlie", "differs: a path here is not what the journal says: 'f': ");
  ASSERT_NO_FATAL_FAILURE(Put("after", "goes on"));
  ASSERT_OK(group_->AwaitCaughtUp());
  ExpectState("delta", "live");
  const auto status = group_->GetStatus();
  ASSERT_OK(status);
  const auto& docs = (*status)["nodes"]["charlie"]["volumes"]["docs"];
  EXPECT_EQ(docs["differences"], 1);
  EXPECT_TRUE(docs["differing"][0].get<std::string>().starts_with("'f': ")) << docs;

  // It is known after a crash and after an orderly end, and tried again when it may be taken.
  for (const bool killed : {true, false}) {
    if (killed) {
      group_->Kill("charlie");
      ASSERT_OK(group_->Start());
    } else {
      ASSERT_NO_FATAL_FAILURE(Restart("charlie"));
    }
    ExpectState("charlie", "differs: ");
  }
  ASSERT_NO_FATAL_FAILURE(Freeze(InStore("charlie", "f"), false));
  group_->Kill("charlie");
  ASSERT_OK(group_->Start());
  ExpectAllEqual();
}

TEST_F(RefusedTest, WhatDiffersOnACopyIsRightAgainWhenALaterRecordMakesItSo) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_EQ(mkdir(InMount("d").c_str(), 0755), 0);
  ASSERT_OK(group_->AwaitCaughtUp());
  ASSERT_NO_FATAL_FAILURE(Freeze(InStore("charlie", "d")));
  // Nothing can be made in it there.
  ASSERT_NO_FATAL_FAILURE(Put("d/new", "content"));
  ASSERT_EQ(mkdir(InMount("d/e").c_str(), 0755), 0);
  ASSERT_NO_FATAL_FAILURE(Put("d/e/below", "content"));
  ASSERT_EQ(chmod(InMount("d/new").c_str(), 0600), 0);
  ExpectState("charlie", "differs: 2 paths here are not what the journal says: 'd/new': ");
  ASSERT_NO_FATAL_FAILURE(Freeze(InStore("charlie", "d"), false));
  ASSERT_EQ(rename(InMount("d/new").c_str(), InMount("d/newer").c_str()), 0);
  ExpectState("charlie", "differs: 2 paths here are not what the journal says: 'd/newer': ");
  ASSERT_EQ(unlink(InMount("d/newer").c_str()), 0);
  ASSERT_EQ(unlink(InMount("d/e/below").c_str()), 0);
  ASSERT_EQ(rmdir(InMount("d/e").c_str()), 0);
  ExpectAllEqual();
}

// ext4 has one block for what doesn't fit beside a directory.
TEST_F(RefusedTest, XattrsOfADirectoryBeyondTheFilesystemsRoom) {
  ASSERT_NO_FATAL_FAILURE(
      Start({.disks = {{"alpha/docs", 64 * kMiB}, {"charlie/docs", 64 * kMiB}, {"delta/docs", 64 * kMiB}},
             .relay_keys = {}}));
  ASSERT_EQ(mkdir(InMount("d").c_str(), 0755), 0);
  const std::string large(5000, 'x');
  EXPECT_EQ(ErrnoOf(setxattr(InMount("d").c_str(), "user.large", large.data(), large.size(), 0)), ENOSPC);
  int refused = 0;
  for (int i = 0; i < 200 && refused == 0; ++i) {
    const std::string name = "user.name" + std::to_string(i);
    refused = ErrnoOf(setxattr(InMount("d").c_str(), name.c_str(), large.data(), 100, 0));
  }
  EXPECT_EQ(refused, ENOSPC);
  ASSERT_NO_FATAL_FAILURE(Put("after", "goes on"));
  ExpectAllEqual();
}

TEST_F(RefusedTest, SymlinkThatIsTooLongForTheCopysFilesystem) {
  ASSERT_NO_FATAL_FAILURE(
      Start({.disks = {{"charlie/docs", 320 * kMiB}}, .xfs = {"charlie/docs"}, .relay_keys = {}}));
  ASSERT_NO_FATAL_FAILURE(Put("before", "content"));
  ASSERT_EQ(symlink(std::string(1024, 's').c_str(), InMount("long").c_str()), 0);
  ExpectState("charlie", "differs: a path here is not what the journal says: 'long': ");
  ASSERT_NO_FATAL_FAILURE(Put("after", "goes on"));
  ASSERT_OK(group_->AwaitCaughtUp());
  ExpectState("delta", "live");
  ASSERT_EQ(symlink("short", InMount("short").c_str()), 0);
  ASSERT_EQ(rename(InMount("short").c_str(), InMount("long").c_str()), 0);
  ExpectAllEqual();
}

TEST_F(RefusedTest, SymlinkThatIsTooLongForThePrimarysFilesystemIsRefusedBeforehand) {
  ASSERT_NO_FATAL_FAILURE(
      Start({.disks = {{"alpha/docs", 320 * kMiB}}, .xfs = {"alpha/docs"}, .relay_keys = {}}));
  EXPECT_EQ(ErrnoOf(symlink(std::string(1024, 's').c_str(), InMount("long").c_str())), ENAMETOOLONG);
  EXPECT_EQ(ErrnoOf(symlink(std::string(1023, 's').c_str(), InMount("long").c_str())), 0);
  ASSERT_NO_FATAL_FAILURE(Put("after", "goes on"));
  ExpectAllEqual();
}

// ext4 finds names by a hash: where the index is full, a name has no place although there is room.
TEST_F(RefusedTest, DirectoryThatIsFullOnTheCopysFilesystemOnly) {
  ASSERT_NO_FATAL_FAILURE(
      Start({.disks = {{"charlie/docs", 128 * kMiB}}, .small_blocks = {"charlie/docs"}, .relay_keys = {}}));
  ASSERT_EQ(mkdir(InMount("d").c_str(), 0755), 0);
  ASSERT_OK(group_->AwaitCaughtUp());
  const std::string end(240, 'n');
  const std::string filler = InStore("charlie", "d") + "/filler";
  int fillers = 0;
  for (int refused = 0; refused < 1000; ++fillers) {
    ASSERT_LT(fillers, 65000) << "there is no end to this directory";
    const UniqueFd made(open((filler + std::to_string(fillers) + end).c_str(), O_WRONLY | O_CREAT, 0600));
    refused += !made;
  }
  for (int i = 0; i < 20; ++i) {
    const std::string name = "d/new" + std::to_string(i) + end;
    ASSERT_TRUE(UniqueFd(open(InMount(name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)));
  }
  ExpectState("charlie", "differs: ");
  ASSERT_NO_FATAL_FAILURE(Put("after", "goes on"));
  ASSERT_OK(group_->AwaitCaughtUp());
  ExpectState("delta", "live");
  for (int i = 0; i < fillers; ++i) unlink((filler + std::to_string(i) + end).c_str());
  ASSERT_NO_FATAL_FAILURE(Restart("charlie"));
  ASSERT_NO_FATAL_FAILURE(Put("d/last", "which gives the folder its time"));
  ExpectAllEqual();
}

}  // namespace
}  // namespace hawser::test
