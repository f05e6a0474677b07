// More callers wait for the relay than a mount has threads (1,024): readers go on, who is killed ends, and
// each call is answered.
#include <sys/syscall.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>
#include <vector>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

constexpr int kCallers = 1'500;
// Of a call that waits for nobody.
constexpr auto kAtOnce = std::chrono::seconds(10);

// Whether a thread is in write(2), by its folder in /proc.
bool IsWriting(const std::string& thread) {
  return Read(thread + "/syscall").starts_with(std::to_string(SYS_write) + " ");
}

class ManyCallersTest : public testing::Test {
 protected:
  // Each caller has a file of its own: whoever makes a name keeps others from looking up names in that
  // folder, in the kernel.
  void Start(const ClusterOptions& options = {}) {
    cluster_ = std::make_unique<Cluster>(options);
    ASSERT_OK(cluster_->Start());
    for (int i = 0; i < kCallers; ++i) Write(File(i), "before ");
    Write(Mount() + "/other", "content ");
  }
  void TearDown() override {
    if (cluster_ != nullptr) cluster_->Thaw("relay");
    JoinCallers();
  }

  std::string Mount() const { return cluster_->Mount("alpha", "docs"); }
  std::string File(int i) const { return Mount() + "/file" + std::to_string(i); }

  // Each appends to its file, all at once.
  void SendCallers() {
    for (int i = 0; i < kCallers; ++i) {
      callers_.emplace_back([this, i] {
        const UniqueFd fd(open(File(i).c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
        EXPECT_TRUE(fd) << strerrordesc_np(errno);
        const bool written = write(fd.get(), "waited", 6) == 6;
        ++(written ? succeeded_ : errno == EIO ? failed_ : otherwise_);
      });
    }
  }
  bool AllWait() {
    return WaitUntil([] {
      int writing = 0;
      for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task"))
        writing += IsWriting(thread.path()) ? 1 : 0;
      return writing == kCallers;
    });
  }
  void JoinCallers() {
    for (std::thread& caller : callers_) caller.join();
    callers_.clear();
  }

  Process Shell(const std::string& script) {
    auto started = Process::Start({.command = {"sh", "-c", script},
                                   .output = cluster_->folder() + "/said",
                                   .folder = Mount(),
                                   .environment = {}});
    EXPECT_OK(started);
    return *std::move(started);
  }
  // Not of a page that a call is about to change: the kernel keeps that locked.
  void ExpectReadersGoOn() {
    for (const char* script : {"ls -l", "cat other", "stat file7", "test ! -e nothing"}) {
      Process reader = Shell(script);
      const auto exit = reader.Wait(kAtOnce);
      ASSERT_TRUE(exit) << "a reader waits and waits: " << script;
      EXPECT_EQ(*exit, 0) << script;
    }
  }

  std::unique_ptr<Cluster> cluster_;
  std::vector<std::thread> callers_;
  std::atomic<int> succeeded_ = 0;
  std::atomic<int> failed_ = 0;  // EIO
  std::atomic<int> otherwise_ = 0;
};

TEST_F(ManyCallersTest, ReadersGoOnAndAllAreServedInTheEnd) {
  ASSERT_NO_FATAL_FAILURE(Start());
  cluster_->Freeze("relay");
  SendCallers();
  ASSERT_TRUE(AllWait());
  ASSERT_NO_FATAL_FAILURE(ExpectReadersGoOn());
  EXPECT_EQ(succeeded_ + failed_ + otherwise_, 0);
  cluster_->Thaw("relay");
  JoinCallers();
  EXPECT_EQ(succeeded_, kCallers);
  for (int i = 0; i < kCallers; ++i) ASSERT_EQ(Read(File(i)), "before waited");
  Write(Mount() + "/after", "goes on");
  EXPECT_OK(cluster_->CompareAllTrees());
}

TEST_F(ManyCallersTest, OneThatIsKilledEnds) {
  ASSERT_NO_FATAL_FAILURE(Start());
  cluster_->Freeze("relay");
  SendCallers();
  ASSERT_TRUE(AllWait());
  Process last = Shell("echo more >> other");
  ASSERT_TRUE(WaitUntil([&] { return IsWriting("/proc/" + std::to_string(last.pid())); }));
  last.Signal(SIGKILL);
  EXPECT_TRUE(last.Wait(kAtOnce));
  cluster_->Thaw("relay");
  JoinCallers();
  EXPECT_EQ(Read(Mount() + "/other"), "content ") << "nobody was told that it was written";
  EXPECT_OK(cluster_->CompareAllTrees());
}

TEST_F(ManyCallersTest, EachIsToldInTimeThatTheRelayDoesNotAnswer) {
  ASSERT_NO_FATAL_FAILURE(Start({.volume_keys = {{"on_relay_loss", "fail"}, {"timeout", "5s"}},
                                 .relay_keys = {},
                                 .replica_keys = {},
                                 .prefix = {}}));
  cluster_->Freeze("relay");
  SendCallers();
  EXPECT_TRUE(WaitUntil([&] { return failed_ == kCallers; }, std::chrono::seconds(20)))
      << failed_ << " failed, " << succeeded_ << " succeeded, " << otherwise_ << " got something else";
  ASSERT_NO_FATAL_FAILURE(ExpectReadersGoOn());
  cluster_->Thaw("relay");
  JoinCallers();
  EXPECT_TRUE(WaitUntil([&] { return ErrnoOfWriting(Mount() + "/after") == 0; }));
  EXPECT_OK(cluster_->CompareAllTrees());
}

}  // namespace
}  // namespace hawser::test
