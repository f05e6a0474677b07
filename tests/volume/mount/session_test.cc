// The FUSE layer without a mount: the test plays the kernel.
#include "volume/mount/session.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "tests/support/local_role.h"
#include "tests/support/process.h"
#include "tests/volume/mount/served_volume.h"
#include "volume/store/identity.h"

namespace hawser {
namespace {

using test::FakeKernel;
using test::WaitUntil;

class SessionTest : public test::ServedVolumeTest {
 protected:
  void SetUp() override {
    ServedVolumeTest::SetUp();
    Begin(std::make_shared<LocalRole>(*volume_));
  }

  // As a kernel does, also at an unmount.
  void TearDown() override {
    for (const auto& [node, open] : opened_) {
      fuse_release_in release{};
      release.fh = open.fh;
      EXPECT_EQ(kernel_->Call(FUSE_RELEASE, node, FakeKernel::Body(release)).error, 0);
    }
  }

  fuse_entry_out Create(std::uint64_t parent, const std::string& name, fuse_open_out& open) {
    fuse_create_in create{};
    create.flags = O_RDWR;
    create.mode = S_IFREG | 0644;
    const auto reply = kernel_->Call(FUSE_CREATE, parent, FakeKernel::Body(create, {name}));
    EXPECT_EQ(reply.error, 0);
    std::memcpy(&open, reply.body.data() + sizeof(fuse_entry_out), sizeof open);
    const auto entry = reply.As<fuse_entry_out>();
    opened_.push_back({entry.nodeid, open});
    return entry;
  }
  fuse_entry_out MakeDirectory(std::uint64_t parent, const std::string& name) {
    fuse_mkdir_in mkdir{};
    mkdir.mode = 0755;
    const auto reply = kernel_->Call(FUSE_MKDIR, parent, FakeKernel::Body(mkdir, {name}));
    EXPECT_EQ(reply.error, 0);
    return reply.As<fuse_entry_out>();
  }
  int Write(std::uint64_t node, const fuse_open_out& open, std::uint64_t offset, std::string_view text,
            int flags = 0) {
    fuse_write_in write{};
    write.flags = static_cast<std::uint32_t>(flags);
    write.fh = open.fh;
    write.offset = offset;
    write.size = static_cast<std::uint32_t>(text.size());
    Buffer body = FakeKernel::Body(write);
    body.insert(body.end(), AsBytes(text).begin(), AsBytes(text).end());
    return kernel_->Call(FUSE_WRITE, node, body).error;
  }
  std::string Read(std::uint64_t node, const fuse_open_out& open) {
    fuse_read_in read{};
    read.fh = open.fh;
    read.size = 4096;
    return std::string(AsText(kernel_->Call(FUSE_READ, node, FakeKernel::Body(read)).body));
  }

  // A change whose caller has left is applied.
  void Settle(Body body) {
    const Record record{volume_->name(), Generation(1), {}, std::move(body)};
    const Status applied = volume_->ApplySettled(record, {});
    EXPECT_TRUE(applied) << applied.error().Text();
  }
  FileId IdOf(const std::string& name) const {
    const auto id = ReadFileId(folder_.path() + "/" + name);
    EXPECT_TRUE(id) << id.error().Text();
    return id ? *id : kNoFileId;
  }

  std::vector<std::pair<std::uint64_t, fuse_open_out>> opened_;
};

TEST_F(SessionTest, AFileIsCreatedWrittenAndRead) {
  fuse_open_out open{};
  const auto entry = Create(FUSE_ROOT_ID, "f", open);
  EXPECT_EQ(Write(entry.nodeid, open, 0, "hawser"), 0);
  EXPECT_EQ(Read(entry.nodeid, open), "hawser");
  struct stat info {};
  ASSERT_EQ(::stat((folder_.path() + "/f").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 6);
}

TEST_F(SessionTest, AnEntryThatIsNotThereIsRememberedAsMissing) {
  const auto reply = Lookup(FUSE_ROOT_ID, "nothing");
  EXPECT_EQ(reply.error, 0);
  EXPECT_EQ(reply.As<fuse_entry_out>().nodeid, 0U);
  EXPECT_GT(reply.As<fuse_entry_out>().entry_valid, 0U);
}

TEST_F(SessionTest, AFileGoesOnBeingUsedAfterItsLastNameIsGone) {
  fuse_open_out open{};
  const auto entry = Create(FUSE_ROOT_ID, "f", open);
  ASSERT_EQ(kernel_->Call(FUSE_UNLINK, FUSE_ROOT_ID, FakeKernel::Names({"f"})).error, 0);
  EXPECT_EQ(Write(entry.nodeid, open, 0, "still here"), 0);
  EXPECT_EQ(Read(entry.nodeid, open), "still here");
  const auto attributes = kernel_->Call(FUSE_GETATTR, entry.nodeid, FakeKernel::Body(fuse_getattr_in{}));
  EXPECT_EQ(attributes.error, 0);
  EXPECT_EQ(attributes.As<fuse_attr_out>().attr.nlink, 0U);
  EXPECT_EQ(attributes.As<fuse_attr_out>().attr.size, 10U);
}

// ---- what goes or changes without an answer that tells the kernel

TEST_F(SessionTest, WhatWasRemovedByTheKernelsOwnCallIsOpenedAgainByWhoHasIt) {
  fuse_open_out open{};
  const auto entry = Create(FUSE_ROOT_ID, "f", open);
  ASSERT_EQ(kernel_->Call(FUSE_UNLINK, FUSE_ROOT_ID, FakeKernel::Names({"f"})).error, 0);
  EXPECT_EQ(kernel_->Call(FUSE_OPEN, entry.nodeid, FakeKernel::Body(fuse_open_in{})).error,
            0);  // /proc/self/fd
}

TEST_F(SessionTest, WhatWasRemovedWithoutItsKnowledgeIsStaleToWhoComesByTheOldName) {
  fuse_open_out open{};
  const auto file = Create(FUSE_ROOT_ID, "f", open);
  const auto folder = MakeDirectory(FUSE_ROOT_ID, "d");
  Settle(Unlink{IdOf("f"), *StorePath::Parse("f"), Now()});
  Settle(Rmdir{IdOf("d"), *StorePath::Parse("d"), Now()});
  EXPECT_EQ(kernel_->Call(FUSE_OPEN, file.nodeid, FakeKernel::Body(fuse_open_in{})).error, ESTALE);
  EXPECT_EQ(kernel_->Call(FUSE_OPENDIR, folder.nodeid, FakeKernel::Body(fuse_open_in{})).error, ESTALE);
  EXPECT_EQ(Lookup(folder.nodeid, "x").error, ESTALE);
  fuse_setattr_in mode{};
  mode.valid = FATTR_MODE;
  EXPECT_EQ(kernel_->Call(FUSE_SETATTR, file.nodeid, FakeKernel::Body(mode)).error, ESTALE);
  EXPECT_EQ(Write(file.nodeid, open, 0, "still here"), 0) << "who has it open goes on";
}

TEST_F(SessionTest, TheKernelIsToldOfWhatWasSettledByItsNamesAndDirectories) {
  fuse_open_out open{};
  const auto file = Create(FUSE_ROOT_ID, "f", open);
  const auto folder = MakeDirectory(FUSE_ROOT_ID, "d");
  Lookup(folder.nodeid, "g");  // not there, as the kernel now believes
  Settle(Rename{
      IdOf("f"), *StorePath::Parse("f"), *StorePath::Parse("d/g"), RenameMode::kReplace, {}, Now(), {}, {}});
  std::vector<FakeKernel::Notice> told;
  const auto has = [&](std::uint64_t node, const std::string& name) {
    return std::any_of(told.begin(), told.end(),
                       [&](const auto& notice) { return notice.node == node && notice.name == name; });
  };
  EXPECT_TRUE(WaitUntil([&] {
    for (auto& notice : kernel_->TakeNotices()) told.push_back(notice);
    return has(FUSE_ROOT_ID, "f") && has(folder.nodeid, "g") && has(FUSE_ROOT_ID, "") &&
           has(folder.nodeid, "") && has(file.nodeid, "");
  }));
}

TEST_F(SessionTest, AnAppendGoesToTheEndOnceTheKernelMayNotKnowIt) {
  fuse_open_out open{};
  const auto file = Create(FUSE_ROOT_ID, "f", open);
  ASSERT_EQ(Write(file.nodeid, open, 0, "12345"), 0);
  EXPECT_EQ(Write(file.nodeid, open, 1, "x", O_APPEND), 0) << "RWF_NOAPPEND: it knows what it does";
  struct stat info {};
  ASSERT_EQ(::stat((folder_.path() + "/f").c_str(), &info), 0);
  Settle(Truncate{IdOf("f"), *StorePath::Parse("f"), 3, {5, Timestamp::From(info.st_mtim)}, Now(), {}});
  EXPECT_EQ(Write(file.nodeid, open, 5, "a", O_APPEND), 0);
  EXPECT_EQ(Write(file.nodeid, open, 6, "b", O_APPEND), 0);
  EXPECT_EQ(Write(file.nodeid, open, 0, "0"), 0) << "one at a place goes there";
  EXPECT_EQ(Read(file.nodeid, open), "0x3ab");
}

// Takes one change, and no more.
class TiredRole : public LocalRole {
 public:
  using LocalRole::LocalRole;
  Status Mutate(const Mutation& mutation) override {
    if (changes_++ > 0) return Error{EIO, "no more"};
    return LocalRole::Mutate(mutation);
  }

 private:
  std::atomic<int> changes_{0};
};

class HalfDoneTest : public SessionTest {
 protected:
  void SetUp() override {
    ServedVolumeTest::SetUp();
    std::ofstream(folder_.path() + "/f") << "12345";
    ASSERT_EQ(::setxattr((folder_.path() + "/f").c_str(), "user.hawser.id", "00000007", 8, 0), 0);
    Begin(std::make_shared<TiredRole>(*volume_));
  }
};

TEST_F(HalfDoneTest, TheKernelIsToldOfAChangeWhoseCallFailedAfterIt) {
  const auto file = Lookup(FUSE_ROOT_ID, "f").As<fuse_entry_out>();
  fuse_setattr_in change{};
  change.valid = FATTR_SIZE | FATTR_MTIME;
  change.size = 2;
  EXPECT_EQ(kernel_->Call(FUSE_SETATTR, file.nodeid, FakeKernel::Body(change)).error, EIO);
  EXPECT_EQ(std::filesystem::file_size(folder_.path() + "/f"), 2U) << "the first half took place";
  EXPECT_TRUE(WaitUntil([&] {
    const auto told = kernel_->TakeNotices();
    return std::any_of(told.begin(), told.end(),
                       [&](const auto& notice) { return notice.node == file.nodeid; });
  }));
}

// ---- names that go

TEST_F(SessionTest, AFileOpenedByANameThatIsGoneIsWrittenUnderItsOtherOne) {
  fuse_open_out open{};
  const auto entry = Create(FUSE_ROOT_ID, "a", open);
  ASSERT_EQ(::link((folder_.path() + "/a").c_str(), (folder_.path() + "/b").c_str()),
            0);  // unknown to the kernel
  ASSERT_EQ(kernel_->Call(FUSE_UNLINK, FUSE_ROOT_ID, FakeKernel::Names({"a"})).error, 0);
  EXPECT_EQ(Write(entry.nodeid, open, 0, "found"), 0);
  struct stat info {};
  ASSERT_EQ(::stat((folder_.path() + "/b").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 5);
}

// Notes what is written, and has it stay in memory.
class KeepingRole : public LocalRole {
 public:
  using LocalRole::LocalRole;
  Status Mutate(const Mutation& mutation) override {
    kept.push_back(mutation.payload);
    return LocalRole::Mutate(mutation);
  }
  std::vector<Payload> kept;
};

TEST_F(SessionTest, WhatWasWrittenStaysForWhoeverKeepsIt) {
  const auto role = std::make_shared<KeepingRole>(*volume_);
  ASSERT_TRUE(volume_->roles().Replace(role, SteadyClock::now() + test::kPatience));
  fuse_open_out open{};
  const auto entry = Create(FUSE_ROOT_ID, "f", open);
  role->kept.clear();
  constexpr int kWrites = 20;
  const auto content = [](int i) { return std::string(4096, static_cast<char>('a' + i)); };
  for (int i = 0; i < kWrites; ++i) ASSERT_EQ(Write(entry.nodeid, open, 0, content(i)), 0);
  ASSERT_EQ(role->kept.size(), static_cast<std::size_t>(kWrites));
  for (int i = 0; i < kWrites; ++i)
    EXPECT_EQ(AsText(role->kept[static_cast<std::size_t>(i)].bytes()), content(i)) << "write " << i;
}

// Threads that are about to leave must not be taken for waiting ones: those that serve what comes meanwhile
// would leave as well, and nobody would be there.
TEST_F(SessionTest, ManyCallsThatEndAtOnceLeaveSomebodyForTheNext) {
  constexpr std::size_t kHeldUp = 40;
  constexpr std::size_t kMeanwhile = 200;
  const auto threads = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
  };
  const auto send = [&] { kernel_->Send(FUSE_GETATTR, FUSE_ROOT_ID, FakeKernel::Body(fuse_getattr_in{})); };
  for (int round = 0; round < 5; ++round) {
    std::unique_lock gate(volume_->gate());
    for (std::size_t i = 0; i < kHeldUp; ++i) send();
    // This one, those that wait at the gate, and one that waits for a request.
    ASSERT_TRUE(test::WaitUntil([&] { return threads() >= 1 + kHeldUp + 1; }));
    gate.unlock();
    for (std::size_t i = 0; i < kMeanwhile; ++i) send();
    for (std::size_t i = 0; i < kHeldUp + kMeanwhile; ++i)
      ASSERT_NE(kernel_->Receive().unique, 0U) << "round " << round << ", after " << i << " replies";
  }
}

TEST_F(SessionTest, NamesThatCannotBeAreRefused) {
  fuse_mkdir_in mkdir{};
  mkdir.mode = 0755;
  EXPECT_EQ(kernel_->Call(FUSE_MKDIR, FUSE_ROOT_ID, FakeKernel::Body(mkdir, {std::string(256, 'n')})).error,
            ENAMETOOLONG);
  EXPECT_EQ(kernel_->Call(FUSE_MKDIR, FUSE_ROOT_ID, FakeKernel::Body(mkdir, {".."})).error, EINVAL);
  EXPECT_EQ(kernel_->Call(FUSE_MKDIR, FUSE_ROOT_ID, FakeKernel::Body(mkdir, {"a/b"})).error, EINVAL);
}

TEST_F(SessionTest, NodesThatWereNeverGivenAreStale) {
  EXPECT_EQ(kernel_->Call(FUSE_GETATTR, 4711, FakeKernel::Body(fuse_getattr_in{})).error, ESTALE);
  EXPECT_EQ(Lookup(4711, "x").error, ESTALE);
}

// The kernel's file handles hold the node's number and this.
TEST_F(SessionTest, ALaterSessionsNodesAreOfAnotherGeneration) {
  fuse_open_out open{};
  const auto entry = Create(FUSE_ROOT_ID, "f", open);
  EXPECT_EQ(Lookup(FUSE_ROOT_ID, "f").As<fuse_entry_out>().generation, entry.generation);
  TearDown();
  opened_.clear();
  session_.reset();
  Begin(std::make_shared<LocalRole>(*volume_, 1'000'000));
  EXPECT_NE(Lookup(FUSE_ROOT_ID, "f").As<fuse_entry_out>().generation, entry.generation);
}

TEST_F(SessionTest, OwnXattrsAreHidden) {
  fuse_open_out open{};
  const auto entry = Create(FUSE_ROOT_ID, "f", open);
  fuse_getxattr_in get{};
  get.size = 100;
  EXPECT_EQ(kernel_->Call(FUSE_GETXATTR, entry.nodeid, FakeKernel::Body(get, {"user.hawser.id"})).error,
            ENODATA);
  const auto list = kernel_->Call(FUSE_LISTXATTR, entry.nodeid, FakeKernel::Body(get));
  EXPECT_EQ(list.error, 0);
  EXPECT_TRUE(list.body.empty());
}

TEST_F(SessionTest, TheNameThatRedoNeedsInTheRootIsNobodyElses) {
  fuse_mkdir_in mkdir{};
  mkdir.mode = 0755;
  const auto body = FakeKernel::Body(mkdir, {".hawser.redo"});
  EXPECT_EQ(kernel_->Call(FUSE_MKDIR, FUSE_ROOT_ID, body).error, EPERM);
  const auto folder = MakeDirectory(FUSE_ROOT_ID, "d");
  EXPECT_EQ(kernel_->Call(FUSE_MKDIR, folder.nodeid, body).error, 0);
  fuse_rename2_in rename{};
  rename.newdir = FUSE_ROOT_ID;
  EXPECT_EQ(
      kernel_->Call(FUSE_RENAME2, folder.nodeid, FakeKernel::Body(rename, {".hawser.redo", ".hawser.redo"}))
          .error,
      EPERM);
}

TEST_F(SessionTest, UnknownOperationsAreAnsweredAndOthersServedOn) {
  EXPECT_EQ(kernel_->Call(static_cast<fuse_opcode>(200), FUSE_ROOT_ID, {}).error, ENOSYS);
  EXPECT_EQ(Lookup(FUSE_ROOT_ID, "x").error, 0);
}

// Files that are replaced all the time: each time a reader looks, the file is another one before he opens it.
class ReplacedOnACopyTest : public test::ServedVolumeTest {
 protected:
  void SetUp() override {
    ServedVolumeTest::SetUp();
    Begin(std::make_shared<LocalCopy>());
    Replace();
  }
  void Replay(Body body) {
    const Record record{volume_->name(), Generation(1), {}, std::move(body)};
    const std::unique_lock alone(volume_->gate());
    const Status applied = volume_->ApplyInGate(record, {}, {});
    EXPECT_TRUE(applied) << applied.error().Text();
  }
  void Replace() {
    const FileId id(++files_);
    Create create;
    create.file = id;
    create.path = *StorePath::Parse("new");
    create.mode = 0644;
    Replay(std::move(create));
    Rename rename;
    rename.file = id;
    rename.path = *StorePath::Parse("new");
    rename.new_path = *StorePath::Parse("f");
    if (files_ > 1) rename.replaced = FileId(files_ - 1);
    Replay(std::move(rename));
  }
  std::uint64_t Look() { return Lookup(FUSE_ROOT_ID, "f").As<fuse_entry_out>().nodeid; }
  int Open(std::uint64_t node) {
    const auto reply = kernel_->Call(FUSE_OPEN, node, FakeKernel::Body(fuse_open_in{}));
    if (reply.error != 0) return reply.error;
    fuse_release_in release{};
    release.fh = reply.As<fuse_open_out>().fh;
    return kernel_->Call(FUSE_RELEASE, node, FakeKernel::Body(release)).error;
  }

  std::uint64_t files_ = 0;
};

TEST_F(ReplacedOnACopyTest, WhoHasJustLookedOpensWhatWasThereAndOthersLookAgain) {
  const std::uint64_t kept = Look();
  EXPECT_EQ(Open(kept), 0);
  Replace();
  EXPECT_EQ(Open(kept), ESTALE) << "the kernel may keep the name from long ago";
  const std::uint64_t looked = Look();
  EXPECT_NE(looked, kept);
  Replace();
  EXPECT_EQ(Open(looked), 0);
  EXPECT_EQ(Open(looked), ESTALE);
}

}  // namespace
}  // namespace hawser
