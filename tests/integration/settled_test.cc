// A change that is settled after its caller has left: what the mount shows is then the new state, by every
// name, though the kernel has kept the old one and had no answer that told it otherwise.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <array>
#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <regex>
#include <vector>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

// A process that makes one call. It shares nothing with the test but whether it has begun.
class Caller {
 public:
  explicit Caller(const std::function<int()>& call)
      : begun_(static_cast<std::atomic<bool>*>(::mmap(
            nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))),
        pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    *begun_ = true;
    ::_exit(call() == 0 ? 0 : errno);
  }
  ~Caller() {
    if (!status_) Kill();
    ::munmap(begun_, sizeof *begun_);
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  // It sleeps in its call, and has done so since it was asked the last times: not for a look at a name, which
  // is answered at once.
  bool waits() {
    const std::string status = *begun_ ? Read("/proc/" + std::to_string(pid_) + "/status") : "";
    const bool sleeps = std::regex_search(status, std::regex("State:\\s[SD]"));
    const std::size_t switches = status.find("voluntary_ctxt_switches");
    const std::string now = sleeps && switches != std::string::npos ? status.substr(switches) : "";
    looks_ = !now.empty() && now == last_look_ ? looks_ + 1 : 0;
    last_look_ = now;
    return looks_ >= kLooks;
  }
  void Kill() {
    ::kill(pid_, SIGKILL);
    (void)Wait();
  }
  // 0, or the errno of its call; 128 and the signal's number.
  int Wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return *status_;
  }

 private:
  std::atomic<bool>* begun_;
  pid_t pid_;
  std::optional<int> status_;
  static constexpr int kLooks = 20;
  int looks_ = 0;  // that found it as the one before
  std::string last_look_;
};

// What is at a path, as a program sees it that asks for just this.
std::string Look(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return strerrorname_np(errno);
  std::string seen = std::to_string(info.st_mode) + " links " + std::to_string(info.st_nlink) + " owner " +
                     std::to_string(info.st_uid) + " mtime " + std::to_string(info.st_mtim.tv_sec) + "." +
                     std::to_string(info.st_mtim.tv_nsec) + " size " + std::to_string(info.st_size);
  if (S_ISREG(info.st_mode)) seen += " '" + Read(path) + "'";
  std::array<char, 256> text{};
  if (S_ISLNK(info.st_mode) && readlink(path.c_str(), text.data(), text.size()) > 0) seen += text.data();
  for (const char* name : {"user.a", "system.posix_acl_access"}) {
    std::array<char, 256> value{};
    const ssize_t size = lgetxattr(path.c_str(), name, value.data(), value.size());
    if (size > 0) seen += std::string(" ") + name + "=" + std::string(value.data(), value.data() + size);
  }
  return seen;
}

// All names that the changes below are about: never by listing a folder, which would tell the kernel.
std::string LookAtAll(const std::string& root) {
  std::string seen;
  for (const char* name : {"", "f", "g", "h", "d", "d/x", "d/new", "e", "new", "new/x", "s"})
    seen += std::string("\n  ") + name + ": " + Look(root + "/" + name);
  return seen;
}

struct Change {
  const char* name;
  int (*make)();  // in the mount's folder; -1 and errno if it fails
};

int WriteAt(const char* path, int flags, const char* text) {
  const UniqueFd fd(open(path, O_WRONLY | O_CLOEXEC | flags, 0644));
  return fd && write(fd.get(), text, strlen(text)) == static_cast<ssize_t>(strlen(text)) ? 0 : -1;
}

int SetAcl() {
  // Version 2; owner rw, user 1 r, group r, mask r, others none.
  constexpr std::array<unsigned char, 44> kAcl = {
      2, 0, 0,    0,    1,    0,    6,  0, 0xff, 0xff, 0xff, 0xff, 2,    0,   4,
      0, 1, 0,    0,    0,    4,    0,  4, 0,    0xff, 0xff, 0xff, 0xff, 16,  0,
      4, 0, 0xff, 0xff, 0xff, 0xff, 32, 0, 0,    0,    0xff, 0xff, 0xff, 0xff};
  return setxattr("f", "system.posix_acl_access", kAcl.data(), kAcl.size(), 0);
}

int AllocateMore() {
  const UniqueFd fd(open("f", O_WRONLY | O_CLOEXEC));
  return fd ? fallocate(fd.get(), 0, 0, 100) : -1;
}

int SetTime() {
  const std::array<timespec, 2> times{timespec{1, 0}, timespec{1, 0}};
  return utimensat(AT_FDCWD, "f", times.data(), 0);
}

const Change kChanges[] = {
    {"unlink", [] { return unlink("h"); }},
    {"unlink_one_of_two_names", [] { return unlink("f"); }},
    {"create", [] { return mknod("new", S_IFREG | 0644, 0); }},
    {"create_in_a_folder", [] { return mknod("d/new", S_IFREG | 0644, 0); }},
    {"create_by_open", [] { return open("new", O_CREAT | O_WRONLY | O_CLOEXEC, 0600) < 0 ? -1 : 0; }},
    {"mkdir", [] { return mkdir("new", 0755); }},
    {"mkfifo", [] { return mkfifo("new", 0644); }},
    {"symlink", [] { return symlink("f", "new"); }},
    {"link", [] { return link("h", "new"); }},
    {"rmdir", [] { return rmdir("e"); }},
    {"rename", [] { return rename("h", "new"); }},
    {"rename_to_another_folder", [] { return rename("h", "d/new"); }},
    {"rename_over", [] { return rename("h", "d/x"); }},
    {"rename_over_one_of_two_names", [] { return rename("h", "f"); }},
    {"rename_a_folder", [] { return rename("d", "new"); }},
    {"rename_a_folder_over_another", [] { return rename("d", "e"); }},
    {"exchange", [] { return renameat2(AT_FDCWD, "h", AT_FDCWD, "d/x", RENAME_EXCHANGE); }},
    {"truncate", [] { return truncate("f", 2); }},
    {"extend", [] { return truncate("f", 20); }},
    {"truncate_by_open", [] { return open("f", O_WRONLY | O_TRUNC | O_CLOEXEC) < 0 ? -1 : 0; }},
    {"append", [] { return WriteAt("f", O_APPEND, "more"); }},
    {"overwrite", [] { return WriteAt("f", 0, "FI"); }},
    {"allocate", AllocateMore},
    {"chmod", [] { return chmod("f", 0600); }},
    {"chown", [] { return chown("f", 1, 1); }},
    {"set_time", SetTime},
    {"chmod_a_folder", [] { return chmod("d", 0700); }},
    {"set_xattr", [] { return setxattr("f", "user.a", "new", 3, 0); }},
    {"set_xattr_of_a_folder", [] { return setxattr("d", "user.a", "new", 3, 0); }},
    {"remove_xattr", [] { return removexattr("g", "user.a"); }},
    {"set_acl", SetAcl},
};

enum class Leaves { kKilled, kWithEio };

class SettledTest : public testing::Test {
 protected:
  explicit SettledTest(Leaves leaves)
      : leaves_(leaves),
        cluster_(leaves == Leaves::kKilled
                     ? ClusterOptions{}
                     : ClusterOptions{.volume_keys = {{"on_relay_loss", "fail"}, {"timeout", "1s"}},
                                      .relay_keys = {},
                                      .replica_keys = {},
                                      .prefix = {}}) {}

  void SetUp() override {
    ASSERT_OK(cluster_.Start());
    mount_ = cluster_.Mount("alpha", "docs");
    store_ = cluster_.Store("alpha", "docs");
    Write(At("f"), "file");
    ASSERT_SYSCALL(link(At("f").c_str(), At("g").c_str()));
    ASSERT_SYSCALL(setxattr(At("f").c_str(), "user.a", "old", 3, 0));
    Write(At("h"), "HEAD");
    ASSERT_SYSCALL(mkdir(At("d").c_str(), 0755));
    ASSERT_SYSCALL(mkdir(At("e").c_str(), 0755));
    Write(At("d/x"), "in d");
    ASSERT_SYSCALL(symlink("h", At("s").c_str()));
  }

  std::string At(const std::string& name) const { return mount_ + "/" + name; }

  // Leaves a change behind that the relay has not answered.
  void LeaveBehind(int (*make)()) {
    (void)LookAtAll(mount_);
    cluster_.Freeze("relay");
    Caller caller([&] { return chdir(mount_.c_str()) == 0 ? make() : -1; });
    if (leaves_ == Leaves::kKilled) {
      // The mount answers others all the while.
      struct statvfs space {};
      ASSERT_TRUE(WaitUntil([&] { return statvfs(mount_.c_str(), &space) == 0 && caller.waits(); }));
      caller.Kill();
    } else {
      EXPECT_EQ(caller.Wait(), EIO);
    }
    ASSERT_TRUE(WaitUntil([&] { return LogHas("and its caller leaves"); }));
    old_ = LookAtAll(mount_);  // whatever the kernel has given up by itself
  }
  void LetItBeSettled() {
    cluster_.Thaw("relay");
    ASSERT_TRUE(WaitUntil([&] { return LogHas("it took place"); })) << Read(cluster_.Log("alpha"));
  }
  bool LogHas(const std::string& text) const {
    return Read(cluster_.Log("alpha")).find(text) != std::string::npos;
  }

  // At once: the kernel keeps things for an hour.
  void ExpectTheMountToShowTheStore() {
    const std::string is = LookAtAll(store_);
    std::string seen;
    EXPECT_TRUE(WaitUntil([&] { return (seen = LookAtAll(mount_)) == is; }, std::chrono::seconds(3)))
        << "the mount shows:" << seen << "\nof:" << is;
    EXPECT_OK(cluster_.CompareAllTrees());
  }

  const Leaves leaves_;
  Cluster cluster_;
  std::string mount_;
  std::string store_;
  std::string old_;
};

class SettledChangeTest : public SettledTest, public testing::WithParamInterface<std::tuple<Change, Leaves>> {
 protected:
  SettledChangeTest() : SettledTest(std::get<Leaves>(GetParam())) {}
};

TEST_P(SettledChangeTest, IsShownByEveryName) {
  LeaveBehind(std::get<Change>(GetParam()).make);
  LetItBeSettled();
  EXPECT_NE(LookAtAll(store_), old_) << "nothing has changed: the test tests nothing";
  ExpectTheMountToShowTheStore();
}

INSTANTIATE_TEST_SUITE_P(Changes, SettledChangeTest,
                         testing::Combine(testing::ValuesIn(kChanges),
                                          testing::Values(Leaves::kKilled, Leaves::kWithEio)),
                         [](const auto& tested) {
                           const bool killed = std::get<Leaves>(tested.param) == Leaves::kKilled;
                           return std::string(std::get<Change>(tested.param).name) +
                                  (killed ? "_killed" : "_eio");
                         });

// ---- what a program does next

class SettledForKilledTest : public SettledTest {
 protected:
  SettledForKilledTest() : SettledTest(Leaves::kKilled) {}
};
class SettledAfterEioTest : public SettledTest {
 protected:
  SettledAfterEioTest() : SettledTest(Leaves::kWithEio) {}
};

// Who has the file open asks for nothing before it appends.
TEST_F(SettledForKilledTest, AnAppendGoesBehindOneThatWasSettled) {
  const UniqueFd file(open(At("f").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  ASSERT_EQ(write(file.get(), "1", 1), 1);
  LeaveBehind([] { return WriteAt("f", O_APPEND, "more"); });
  LetItBeSettled();
  const std::string much(3 << 20, 'x');  // several requests
  ASSERT_EQ(write(file.get(), much.data(), much.size()), static_cast<ssize_t>(much.size()));
  ASSERT_EQ(write(file.get(), "3", 1), 1);
  EXPECT_EQ(Read(store_ + "/f"), "file1more" + much + "3");
  ExpectTheMountToShowTheStore();
}

TEST_F(SettledForKilledTest, AnAppendGoesToTheEndOfWhatWasCutOff) {
  const UniqueFd file(open(At("f").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  ASSERT_EQ(write(file.get(), "1", 1), 1);
  LeaveBehind([] { return truncate("f", 2); });
  LetItBeSettled();
  for (const char* text : {"2", "3"}) ASSERT_EQ(write(file.get(), text, 1), 1);
  EXPECT_EQ(Read(store_ + "/f"), "fi23");
  ExpectTheMountToShowTheStore();
}

TEST_F(SettledAfterEioTest, AProgramThatAppendsAgainHasItTwice) {
  const UniqueFd file(open(At("f").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  cluster_.Freeze("relay");
  EXPECT_EQ(write(file.get(), "more", 4), -1);
  EXPECT_EQ(errno, EIO);
  LetItBeSettled();
  ASSERT_EQ(write(file.get(), "more", 4), 4);
  EXPECT_EQ(Read(store_ + "/f"), "filemoremore");
  ExpectTheMountToShowTheStore();
}

// The name leads to the kernel's old node until it is told, or looks again.
TEST_F(SettledForKilledTest, AWriteToANameThatWentMakesANewFile) {
  LeaveBehind([] { return unlink("h"); });
  LetItBeSettled();
  Write(At("h"), "anew");
  EXPECT_EQ(Read(store_ + "/h"), "anew");
  ExpectTheMountToShowTheStore();
}

TEST_F(SettledForKilledTest, AFolderThatWentIsMadeAnewAndUsed) {
  LeaveBehind([] { return rmdir("e"); });
  LetItBeSettled();
  ASSERT_TRUE(WaitUntil([&] { return mkdir(At("e").c_str(), 0755) == 0; }));
  Write(At("e/x"), "in it");
  EXPECT_EQ(Read(store_ + "/e/x"), "in it");
  ExpectTheMountToShowTheStore();
}

// The kernel holds a folder during each of the calls, and a notice waits for it.
TEST_F(SettledForKilledTest, CallsThatWaitInTheSameFolderGoOn) {
  LeaveBehind([] { return mkdir("d/new", 0755); });
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < 20; ++i) {
    const std::string name = At((i % 2 == 0 ? "d/x" : "e/y") + std::to_string(i));
    callers.push_back(std::make_unique<Caller>([name] { return mkdir(name.c_str(), 0755); }));
  }
  for (const auto& caller : callers) ASSERT_TRUE(WaitUntil([&] { return caller->waits(); }));
  LetItBeSettled();
  for (const auto& caller : callers) EXPECT_EQ(caller->Wait(), 0);
  ExpectTheMountToShowTheStore();
}

}  // namespace
}  // namespace hawser::test
