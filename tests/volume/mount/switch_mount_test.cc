// A mounted volume changes between a role that writes and one that only reads, while programs use it. The
// role that writes lets the kernel keep everything for an hour; while the other one has the volume, records
// are applied as replay would, and the mount must show what they do.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "tests/support/local_role.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "volume/mount/session.h"
#include "volume/mount/switch_role.h"

namespace hawser::test {
namespace {

UniqueFd Opened(const std::string& path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, 0644));
  EXPECT_TRUE(fd) << path << ": " << std::strerror(errno);
  return fd;
}

std::string ReadAt(int fd, std::size_t size, off_t offset) {
  std::string content(size, '\0');
  const ssize_t got = ::pread(fd, content.data(), size, offset);
  content.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return content;
}

// 0, or why not.
int Look(const std::string& path) { return ::access(path.c_str(), F_OK) == 0 ? 0 : errno; }

mode_t ModeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

class SwitchMountTest : public testing::Test {
 protected:
  void SetUp() override {
    ::umask(0);
    std::filesystem::create_directories(folder_ / "mount");
    std::filesystem::create_directories(folder_ / "store");
    auto store = Store::Open({folder_ / "store", "group", VolumeName("docs")});
    ASSERT_TRUE(store) << store.error().Text();
    volume_ = std::make_unique<Volume>(*std::move(store));
    Switch(std::make_shared<LocalRole>(*volume_));
    auto session = Session::Mount(*volume_, {}, {folder_ / "mount", "test", false});
    ASSERT_TRUE(session) << session.error().Text();
    session_ = *std::move(session);
    ASSERT_TRUE(session_->Begin());
  }

  void Switch(std::shared_ptr<Role> role) {
    const Status switched =
        SwitchRole(*volume_, session_.get(), std::move(role), SteadyClock::now() + kPatience);
    ASSERT_TRUE(switched) << switched.error().Text();
  }
  void BecomeWritable() {
    ids_ += 1'000'000;  // each role gives out others
    Switch(std::make_shared<LocalRole>(*volume_, ids_));
  }
  void BecomeCopy() { Switch(std::make_shared<LocalCopy>()); }

  // As on a copy: what is kept of a file's content is given up, and the names that go.
  void Replay(Body body, const std::string& payload = "") {
    const Record record{VolumeName("docs"), Generation(2), {}, std::move(body)};
    {
      const std::unique_lock alone(volume_->gate());
      const Status applied = volume_->ApplyInGate(record, AsBytes(payload));
      ASSERT_TRUE(applied) << applied.error().Text();
    }
    session_->Invalidate(volume_->TakeStale());
  }
  void ReplayCreate(const std::string& name) {
    Create create;
    create.file = FileId((2ULL << 48) | ++replayed_ids_);
    create.path = *StorePath::Parse(name);
    create.mode = 0644;
    Replay(std::move(create));
  }
  void ReplayUnlink(const std::string& name) { Replay(Unlink{IdOf(name), *StorePath::Parse(name), {}}); }
  void ReplayWrite(const std::string& name, const std::string& text) {
    struct stat before {};
    ASSERT_EQ(::stat(Stored(name).c_str(), &before), 0);
    Write write;
    write.file = IdOf(name);
    write.path = *StorePath::Parse(name);
    write.length = text.size();
    write.before = StateOf(before);
    write.mtime = Now();
    Replay(std::move(write), text);
  }
  void ReplayChmod(const std::string& name, std::uint32_t mode) {
    Replay(SetAttr{IdOf(name), *StorePath::Parse(name), mode, {}, {}, {}, {}});
  }
  FileId IdOf(const std::string& name) {
    const auto pin = volume_->store().Pin(*StorePath::Parse(name));
    EXPECT_TRUE(pin) << name;
    return pin ? *ReadFileId(ProcPath(pin->get())) : kNoFileId;
  }

  std::string Mount(const std::string& name) const { return folder_ / "mount" + "/" + name; }
  std::string Stored(const std::string& name) const { return folder_ / "store" + "/" + name; }

  TempDir folder_;
  std::uint64_t ids_ = 0;
  std::uint64_t replayed_ids_ = 0;
  std::unique_ptr<Volume> volume_;
  std::unique_ptr<Session> session_;
};

TEST_F(SwitchMountTest, PagesThatAWriterHasReadAreKeptOverItsOwnWrites) {
  const UniqueFd file = Opened(Mount("f"), O_RDWR | O_CREAT);
  const std::string block(4096, 'a');
  for (off_t i = 0; i < 4; ++i) ASSERT_EQ(::pwrite(file.get(), block.data(), 4096, i * 4096), 4096);
  ASSERT_EQ(ReadAt(file.get(), 4096, 3 * 4096), block);
  // Behind the mount's back: who reads this anew didn't have it from the kernel's pages.
  const UniqueFd behind = Opened(Stored("f"), O_WRONLY);
  ASSERT_EQ(::pwrite(behind.get(), "b", 1, 3 * 4096), 1);
  ASSERT_EQ(::pwrite(file.get(), "c", 1, 0), 1);
  struct stat info {};
  ASSERT_EQ(::fstat(file.get(), &info), 0);
  EXPECT_EQ(ReadAt(file.get(), 4096, 3 * 4096), block);
}

TEST_F(SwitchMountTest, WhatWasKeptForAnHourIsAskedForAnew) {
  const UniqueFd open = Opened(Mount("changes"), O_RDWR | O_CREAT);
  ASSERT_EQ(::pwrite(open.get(), "old", 3, 0), 3);
  ASSERT_TRUE(Opened(Mount("goes"), O_RDWR | O_CREAT));
  ASSERT_EQ(::symlink("old", Mount("link").c_str()), 0);
  char target[8] = {};
  ASSERT_EQ(::readlink(Mount("link").c_str(), target, sizeof target), 3);
  ASSERT_EQ(Look(Mount("appears")), ENOENT);
  ASSERT_EQ(ReadAt(open.get(), 3, 0), "old");
  ASSERT_EQ(ModeOf(Mount("changes")), 0644U);

  BecomeCopy();
  EXPECT_EQ(::open(Mount("changes").c_str(), O_WRONLY), -1);
  EXPECT_EQ(errno, EROFS);
  EXPECT_EQ(::pwrite(open.get(), "x", 1, 0), -1);
  EXPECT_EQ(errno, EROFS);
  ReplayWrite("changes", "new");
  ReplayChmod("changes", 0600);
  ReplayUnlink("goes");
  ReplayCreate("appears");
  ReplayUnlink("link");
  ReplayCreate("link");
  EXPECT_EQ(ReadAt(open.get(), 3, 0), "new");
  EXPECT_EQ(ModeOf(Mount("changes")), 0600U);
  EXPECT_EQ(Look(Mount("goes")), ENOENT);
  EXPECT_EQ(Look(Mount("appears")), 0);
  EXPECT_EQ(::readlink(Mount("link").c_str(), target, sizeof target), -1);
  EXPECT_EQ(errno, EINVAL) << "it is a file now";

  BecomeWritable();
  EXPECT_EQ(::pwrite(open.get(), "own", 3, 0), 3) << "a descriptor from before writes again";
}

TEST_F(SwitchMountTest, AProgramThatStandsInTheMountStaysThere) {
  ASSERT_EQ(::mkdir(Mount("d").c_str(), 0755), 0);
  const std::string before = std::filesystem::current_path();
  ASSERT_EQ(::chdir(Mount("d").c_str()), 0);
  BecomeCopy();
  std::error_code problem;
  const auto standing = std::filesystem::current_path(problem);
  const bool can_list = ::access(".", R_OK) == 0;
  ASSERT_EQ(::chdir(before.c_str()), 0);
  EXPECT_EQ(standing, Mount("d")) << problem.message();
  EXPECT_TRUE(can_list);
}

// Programs at work while the role changes.
class Crowd {
 public:
  explicit Crowd(const std::string& mount) {
    for (int i = 0; i < 2; ++i) {
      const std::string folder = mount + "/" + std::to_string(i);
      EXPECT_EQ(::mkdir(folder.c_str(), 0755), 0);
      threads_.emplace_back([this, folder] { Write(folder); });
      threads_.emplace_back([this, folder] { Read(folder); });
    }
  }
  ~Crowd() {
    done_ = true;
    for (auto& thread : threads_) thread.join();
  }

  std::uint64_t written() const { return written_; }
  int wrong() const { return wrong_; }

 private:
  // A call that the role at the moment doesn't take is refused as such, and as nothing else.
  bool Took(long result) {
    if (result >= 0) return true;
    if (errno != EROFS && wrong_++ == 0) ADD_FAILURE() << std::strerror(errno);
    return false;
  }

  // Always the same number twice, also in what a reader sees.
  void Write(const std::string& folder) {
    const std::string file = folder + "/f";
    for (std::uint64_t i = 0; !done_; ++i) {
      const UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
      if (!Took(fd ? 0 : -1)) continue;
      const std::uint64_t pair[] = {i, i};
      if (!Took(::pwrite(fd.get(), pair, sizeof pair, 0))) continue;
      Took(::rename(file.c_str(), (folder + "/g").c_str()));
      if (::mkdir((folder + "/d").c_str(), 0755) == 0 || errno == EEXIST)
        Took(::rmdir((folder + "/d").c_str()));
      ++written_;
    }
  }

  void Read(const std::string& folder) {
    while (!done_) {
      const UniqueFd fd(::open((folder + "/g").c_str(), O_RDONLY | O_CLOEXEC));
      std::uint64_t pair[2] = {0, 0};
      if (fd && ::pread(fd.get(), pair, sizeof pair, 0) < 0) ++wrong_;
      if (pair[0] != pair[1]) ++wrong_;
      std::error_code problem;
      for (const auto& entry : std::filesystem::directory_iterator(folder, problem)) (void)entry;
      if (problem) ++wrong_;
    }
  }

  std::atomic<bool> done_{false};
  std::atomic<int> wrong_{0};
  std::atomic<std::uint64_t> written_{0};
  std::vector<std::thread> threads_;
};

// What one change of role and back has to show, with names that the crowd doesn't use.
TEST_F(SwitchMountTest, AThousandTimesUnderReadersAndWriters) {
  constexpr int kTimes = 1000;
  const UniqueFd open = Opened(Mount("changes"), O_RDWR | O_CREAT);
  Crowd crowd(folder_ / "mount");
  for (int i = 0; i < kTimes / 2 && !HasFailure(); ++i) {
    const std::string number = std::to_string(100'000 + i);
    const std::string name = "appears" + number;
    EXPECT_EQ(::pwrite(open.get(), "writer", 6, 0), 6);
    EXPECT_EQ(ReadAt(open.get(), 6, 0), "writer");
    EXPECT_EQ(Look(Mount(name)), ENOENT);
    BecomeCopy();
    ReplayWrite("changes", number);
    ReplayCreate(name);
    EXPECT_EQ(ReadAt(open.get(), 6, 0), number);
    EXPECT_EQ(Look(Mount(name)), 0);
    ReplayUnlink(name);
    BecomeWritable();
  }
  EXPECT_EQ(crowd.wrong(), 0);
  EXPECT_GT(crowd.written(), 0U);
}

}  // namespace
}  // namespace hawser::test
