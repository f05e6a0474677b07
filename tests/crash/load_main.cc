// hawser-crash-load DOCS MAIL NOTES: all works in the two trees until SIGTERM, each in a thread. After each
// step that succeeded its number is added to NOTES/<work>.acknowledged. After an error the work looks at its
// tree, which must hold what was acknowledged and at most the step that failed, and goes on. Exit code 75: a
// mapping's mount has died.
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include "common/base/files.h"
#include "tests/crash/load.h"

namespace hawser::test {
namespace {

constexpr auto kPause = std::chrono::milliseconds(50);
constexpr int kLooks = 5;
constexpr auto kBetweenLooks = std::chrono::milliseconds(200);

class Worker {
 public:
  Worker(Work& work, const Trees& trees, std::string folder, const std::atomic<bool>& stop)
      : work_(work), trees_(trees), folder_(std::move(folder)), stop_(stop) {}

  void Run() {
    acknowledged_ = LastAcknowledged(AcknowledgedPath(folder_, work_.name()));
    notes_ = UniqueFd(open(AcknowledgedPath(folder_, work_.name()).c_str(),
                           O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    bool known = false;
    while (!stop_ && !violated_) {
      if (!known) known = LookAt();
      if (known && !Advance()) known = false;
      if (!known && !stop_) std::this_thread::sleep_for(kPause);
    }
    work_.Forget();
  }

 private:
  bool Advance() {
    const Status done = work_.Step(trees_, acknowledged_ + 1);
    if (!done) {
      std::printf("%s: step %llu: %s\n", work_.name().c_str(),
                  static_cast<unsigned long long>(acknowledged_ + 1), done.error().Text().c_str());
      std::fflush(stdout);
      work_.Forget();
      if (done.error().code == kImpossible) Violation(done.error().message);
      return false;
    }
    Note(folder_, notes_.get(), std::to_string(++acknowledged_) + "\n");
    return true;
  }

  // Whether the tree can be seen. While one mount takes the place of another a look may see half of each, so
  // only what stays wrong is wrong.
  bool LookAt() {
    std::string wrong;
    for (int i = 0; i < kLooks && !stop_; ++i) {
      const auto found = work_.Find(trees_);
      if (found && (*found == acknowledged_ || *found == acknowledged_ + 1)) return true;
      if (!found && found.error().code != kImpossible) return false;
      wrong = found ? "step " + std::to_string(acknowledged_) + " was acknowledged, the mount holds " +
                          std::to_string(*found)
                    : found.error().message;
      std::this_thread::sleep_for(kBetweenLooks);
    }
    if (!stop_) Violation(wrong);
    return false;
  }

  void Violation(const std::string& what) {
    violated_ = true;
    const UniqueFd fd(open(ViolationsPath(folder_).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    Note(folder_, fd.get(), work_.name() + ": " + what + "\n");
  }

  static void Note(const std::string& folder, int fd, const std::string& line) {
    if (write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size())) return;
    std::fprintf(stderr, "cannot write notes in %s\n", folder.c_str());
    std::_Exit(3);
  }

  Work& work_;
  const Trees& trees_;
  const std::string folder_;
  const std::atomic<bool>& stop_;
  UniqueFd notes_;
  std::uint64_t acknowledged_ = 0;
  bool violated_ = false;
};

int Run(const Trees& trees, const std::string& folder) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  std::signal(SIGBUS, [](int) { _exit(75); });

  std::atomic<bool> stop = false;
  const Works works = AllWorks();
  std::vector<std::thread> threads;
  for (const auto& work : works) threads.emplace_back([&] { Worker(*work, trees, folder, stop).Run(); });
  int signal = 0;
  sigwait(&ends, &signal);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  return 0;
}

}  // namespace
}  // namespace hawser::test

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: hawser-crash-load DOCS MAIL NOTES\n");
    return 2;
  }
  return hawser::test::Run({{"docs", argv[1]}, {"mail", argv[2]}}, argv[3]);
}
