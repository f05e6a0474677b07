// A secondary that comes late, stands still or goes away ends up equal, by itself.
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

#include "tests/integration/files.h"
#include "tests/support/churn/churn.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

class SecondaryTest : public ::testing::Test {
 protected:
  void Churn(double seconds) {
    const std::uint64_t seed = std::random_device{}();
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    const auto report =
        RunChurn({.folders = {cluster_.Mount("alpha", "docs"), cluster_.Mount("bravo", "mail")},
                  .seed = seed,
                  .threads = 8,
                  .seconds = seconds,
                  .operations = 0});
    ASSERT_OK(report);
    EXPECT_TRUE(report->failures.empty()) << report->Text();
  }

  // More than sockets and high-water marks could hold.
  void WriteMuch(std::uint64_t bytes) {
    const std::string block(1 * kMiB, 'm');
    for (std::uint64_t i = 0; i < bytes / kMiB; ++i)
      Write(cluster_.Mount("alpha", "docs") + "/big" + std::to_string(i % 20), block);
  }

  Cluster cluster_;
};

TEST_F(SecondaryTest, SecondaryThatStartsLateCatchesUp) {
  for (const char* process : {"relay", "alpha", "bravo"}) ASSERT_OK(cluster_.Start(process));
  Churn(2);
  ASSERT_OK(cluster_.Start("charlie"));
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(SecondaryTest, SecondaryStartedUnderLoadJoinsTheStream) {
  for (const char* process : {"relay", "alpha", "bravo"}) ASSERT_OK(cluster_.Start(process));
  std::thread load([this] { Churn(5); });
  EXPECT_OK(cluster_.Start("charlie"));
  load.join();
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(SecondaryTest, SecondaryFrozenUnderLoadCatchesUpAndTheRelayStaysSmall) {
  ASSERT_OK(cluster_.Start());
  WriteMuch(50 * kMiB);
  const std::uint64_t before = cluster_.Running("relay").ResidentBytes();
  const pid_t relay = cluster_.Running("relay").pid();
  const pid_t charlie = cluster_.Running("charlie").pid();
  cluster_.Freeze("charlie");
  WriteMuch(400 * kMiB);
  Churn(2);
  const std::uint64_t after = cluster_.Running("relay").ResidentBytes();
  cluster_.Thaw("charlie");
  std::printf("relay: %llu MiB before, %llu MiB after\n", static_cast<unsigned long long>(before / kMiB),
              static_cast<unsigned long long>(after / kMiB));
  EXPECT_LT(after, before + 200 * kMiB) << "the relay keeps what a frozen secondary doesn't take";
  EXPECT_OK(cluster_.CompareAllTrees());
  EXPECT_EQ(cluster_.Running("relay").pid(), relay);
  EXPECT_TRUE(cluster_.Running("charlie").running());
  EXPECT_EQ(cluster_.Running("charlie").pid(), charlie);
}

TEST_F(SecondaryTest, WritersDoNotWaitForAFrozenSecondary) {
  ASSERT_OK(cluster_.Start());
  cluster_.Freeze("charlie");
  for (int i = 0; i < 200; ++i) Write(cluster_.Mount("alpha", "docs") + "/" + std::to_string(i), "content");
  cluster_.Thaw("charlie");
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(SecondaryTest, SecondaryRestartedUnderLoadGoesOn) {
  ASSERT_OK(cluster_.Start());
  std::thread load([this] { Churn(6); });
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    EXPECT_OK(cluster_.Stop("charlie"));
    EXPECT_OK(cluster_.Start("charlie"));
  }
  load.join();
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(SecondaryTest, ReadersOfTheMountOnlyMeetWholeFiles) {
  ASSERT_OK(cluster_.Start());
  const std::string file = cluster_.Mount("alpha", "docs") + "/file";
  const std::string copy = cluster_.Mount("charlie", "docs") + "/file";
  Write(file, std::string(1000, 'a'));
  ASSERT_OK(cluster_.WaitForSecondaries());
  std::atomic<bool> stop = false;
  // A new file is renamed over the old one: a reader finds one or the other.
  std::thread writer([&] {
    for (char c = 'b'; c <= 'z' && !HasFailure(); ++c) {
      Write(file + ".new", std::string(1000, c));
      ASSERT_SYSCALL(rename((file + ".new").c_str(), file.c_str()));
    }
    EXPECT_OK(cluster_.WaitForSecondaries());
    stop = true;
  });
  while (!stop) {
    const std::string content = Read(copy);
    EXPECT_EQ(content.size(), 1000u);
    EXPECT_EQ(content.find_first_not_of(content[0]), std::string::npos) << content;
    if (HasFailure()) break;
  }
  writer.join();
  EXPECT_EQ(Read(copy)[0], 'z');
}

// What the kernel keeps of a file that a program has open, or mapped, is given up when the file changes; also
// if size and times don't tell, and if the file has another name by then.
TEST_F(SecondaryTest, WhatIsKeptOpenOnACopyShowsWhatWasApplied) {
  ASSERT_OK(cluster_.Start());
  const std::string file = cluster_.Mount("alpha", "docs") + "/file";
  Write(file, "first");
  ASSERT_OK(cluster_.WaitForSecondaries());
  const UniqueFd open(::open((cluster_.Mount("charlie", "docs") + "/file").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(open);
  const char* mapped = static_cast<const char*>(::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, open.get(), 0));
  ASSERT_NE(mapped, MAP_FAILED);
  const auto read = [&] {
    char content[64];
    const ssize_t size = ::pread(open.get(), content, sizeof content, 0);
    return std::string(content, size < 0 ? 0 : static_cast<std::size_t>(size));
  };
  EXPECT_EQ(read(), "first");
  EXPECT_EQ(std::string(mapped, 5), "first");

  Write(file, "again", 0);
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_EQ(read(), "again");
  EXPECT_EQ(std::string(mapped, 5), "again");

  Write(file, "third", 0);
  ASSERT_SYSCALL(::rename(file.c_str(), (file + ".moved").c_str()));
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_EQ(read(), "third");
  EXPECT_EQ(std::string(mapped, 5), "third");

  Append(file + ".moved", " and more");
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_EQ(read(), "third and more");
  ::munmap(const_cast<char*>(mapped), 4096);
}

// By whichever of its names a file is changed.
TEST_F(SecondaryTest, AMappingByOneHardLinkShowsWhatIsWrittenByAnother) {
  ASSERT_OK(cluster_.Start());
  const std::string docs = cluster_.Mount("alpha", "docs");
  ASSERT_SYSCALL(::mkdir((docs + "/d").c_str(), 0755));
  Write(docs + "/one", "first");
  ASSERT_SYSCALL(::link((docs + "/one").c_str(), (docs + "/d/other").c_str()));
  ASSERT_OK(cluster_.WaitForSecondaries());
  const UniqueFd open(::open((cluster_.Mount("charlie", "docs") + "/one").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(open);
  const char* mapped = static_cast<const char*>(::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, open.get(), 0));
  ASSERT_NE(mapped, MAP_FAILED);
  EXPECT_EQ(std::string(mapped, 5), "first");
  for (const std::string content : {"again", "third", "fourt"}) {
    Write(docs + "/d/other", content, 0);
    ASSERT_OK(cluster_.WaitForSecondaries());
    EXPECT_EQ(std::string(mapped, 5), content);
  }
  ASSERT_SYSCALL(::unlink((docs + "/one").c_str()));
  Write(docs + "/d/other", "fifth", 0);
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_EQ(std::string(mapped, 5), "fifth");
  ::munmap(const_cast<char*>(mapped), 4096);
}

// Backups and scanners list a copy whole: what the primary then removes is let go of.
TEST_F(SecondaryTest, ATreeThatWasListedAndThenRemovedIsNotHeld) {
  ASSERT_OK(cluster_.Start());
  const std::string tree = cluster_.Mount("alpha", "docs") + "/tree";
  ASSERT_SYSCALL(::mkdir(tree.c_str(), 0755));
  ASSERT_SYSCALL(::mkdir((tree + "/sub").c_str(), 0755));
  for (int i = 0; i < 150; ++i) {
    Write(tree + "/" + std::to_string(i), "content");
    Write(tree + "/sub/" + std::to_string(i), "content");
  }
  ASSERT_OK(cluster_.WaitForSecondaries());
  const std::string copy = cluster_.Mount("charlie", "docs") + "/tree";
  std::size_t listed = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(copy)) {
    struct stat info {};
    ASSERT_SYSCALL(::stat(entry.path().c_str(), &info));
    ++listed;
  }
  EXPECT_EQ(listed, 301U);
  // One is moved, then removed.
  ASSERT_SYSCALL(::rename((tree + "/0").c_str(), (tree + "/sub/moved").c_str()));
  ASSERT_GT(std::filesystem::remove_all(tree), 300U);
  ASSERT_OK(cluster_.WaitForSecondaries());
  const std::string fds = "/proc/" + std::to_string(cluster_.Running("charlie").pid()) + "/fd";
  const auto deleted = [&] {
    std::size_t count = 0;
    for (const auto& fd : std::filesystem::directory_iterator(fds)) {
      std::error_code gone;
      if (std::filesystem::read_symlink(fd, gone).string().ends_with(" (deleted)")) ++count;
    }
    return count;
  };
  EXPECT_TRUE(WaitUntil([&] { return deleted() == 0; })) << deleted() << " are held";
}

TEST_F(SecondaryTest, ADirectoryMovedToWhereNobodyHasLookedIsFollowed) {
  ASSERT_OK(cluster_.Start());
  const std::string docs = cluster_.Mount("alpha", "docs");
  const std::string copy = cluster_.Mount("charlie", "docs");
  for (const char* folder : {"/d", "/u", "/u/v"}) ASSERT_SYSCALL(::mkdir((docs + folder).c_str(), 0755));
  Write(docs + "/d/x", "one");
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_EQ(Read(copy + "/d/x"), "one");
  ASSERT_SYSCALL(::rename((docs + "/d").c_str(), (docs + "/u/v/d").c_str()));
  ASSERT_SYSCALL(::rename((docs + "/u/v/d/x").c_str(), (docs + "/y").c_str()));
  Write(docs + "/u/v/d/x", "TWO-LONGER");
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_TRUE(Exists(copy + "/u/v/d"));
  EXPECT_EQ(Read(copy + "/y"), "one");
  EXPECT_EQ(Read(copy + "/u/v/d/x"), "TWO-LONGER");
}

TEST_F(SecondaryTest, AFileInAMovedDirectoryIsReadByItsOtherName) {
  ASSERT_OK(cluster_.Start());
  const std::string docs = cluster_.Mount("alpha", "docs");
  const std::string copy = cluster_.Mount("charlie", "docs");
  for (const char* folder : {"/d", "/p", "/p/q"}) ASSERT_SYSCALL(::mkdir((docs + folder).c_str(), 0755));
  Write(docs + "/d/f", "x");
  ASSERT_SYSCALL(::link((docs + "/d/f").c_str(), (docs + "/g").c_str()));
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_TRUE(Exists(copy + "/d/f"));
  ASSERT_SYSCALL(::rename((docs + "/d").c_str(), (docs + "/p/q/d").c_str()));
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_EQ(Read(copy + "/g"), "x");
  EXPECT_EQ(Read(copy + "/p/q/d/f"), "x");
}

// As an NFS server keeps them.
TEST_F(SecondaryTest, AFileHandleFromBeforeARestartIsStale) {
  ASSERT_OK(cluster_.Start());
  const std::string docs = cluster_.Mount("alpha", "docs");
  const std::string copy = cluster_.Mount("charlie", "docs");
  for (const char* file : {"/a", "/b"}) Write(docs + file, file);
  ASSERT_OK(cluster_.WaitForSecondaries());
  std::array<std::byte, sizeof(file_handle) + MAX_HANDLE_SZ> room{};
  auto* handle = reinterpret_cast<file_handle*>(room.data());
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount_id = 0;
  ASSERT_SYSCALL(::name_to_handle_at(AT_FDCWD, (copy + "/a").c_str(), handle, &mount_id, 0));
  const auto open = [&] {
    const UniqueFd mount(::open(copy.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const UniqueFd file(::open_by_handle_at(mount.get(), handle, O_RDONLY | O_CLOEXEC));
    return file ? 0 : errno;
  };
  const int opened = open();
  if (opened == EPERM) GTEST_SKIP() << "only root opens files by handle";
  EXPECT_EQ(opened, 0);
  ASSERT_OK(cluster_.Stop("charlie"));
  ASSERT_OK(cluster_.Start("charlie"));
  EXPECT_EQ(Read(copy + "/b"), "/b");  // gets the number that the other one had
  EXPECT_EQ(open(), ESTALE);
}

}  // namespace
}  // namespace hawser::test
