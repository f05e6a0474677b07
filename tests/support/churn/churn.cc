#include "tests/support/churn/churn.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

#include "common/base/files.h"
#include "tests/support/churn/worker.h"

namespace hawser::test {

Outcome Fine() { return {}; }

Outcome Failed(std::string what) { return {0, std::move(what)}; }

Outcome Expect(long result, const char* call, const std::string& path, std::initializer_list<int> expected) {
  if (result >= 0) return Fine();
  const int code = errno;
  if (std::find(expected.begin(), expected.end(), code) != expected.end()) return {code, ""};
  return {code, std::string(call) + " '" + path + "': " + strerrordesc_np(code)};
}

namespace {

using SteadyClock = std::chrono::steady_clock;

struct Free {
  void operator()(char* memory) const { std::free(memory); }
};

// All operations, each as often as its weight.
std::vector<const Operation*> WeightedOperations() {
  std::vector<const Operation*> weighted;
  for (const auto* family :
       {&NameOperations(), &DataOperations(), &AttributeOperations(), &OwnFileOperations()})
    for (const Operation& operation : *family) weighted.insert(weighted.end(), operation.weight, &operation);
  return weighted;
}

UniqueFd MemoryOfRandomBytes(std::uint64_t seed) {
  UniqueFd fd(memfd_create("hawser-churn", MFD_CLOEXEC));
  std::string bytes(kChurnMaxWrite, '\0');
  Rng rng(seed);
  FillRandom(rng, bytes.data(), bytes.size());
  if (pwrite(fd.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return UniqueFd();
  return fd;
}

class Churn {
 public:
  Churn(const ChurnOptions& options, std::vector<UniqueFd> roots)
      : options_(options), roots_(std::move(roots)), operations_(WeightedOperations()) {}

  ChurnReport Run() {
    const auto limit = options_.seconds > 0 ? std::chrono::duration<double>(options_.seconds)
                                            : std::chrono::duration<double>(1e9);
    end_ = SteadyClock::now() + std::chrono::duration_cast<SteadyClock::duration>(limit);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < options_.threads; ++i) threads.emplace_back([this, i] { RunThread(i); });
    for (std::thread& thread : threads) thread.join();
    return std::move(report_);
  }

 private:
  void RunThread(unsigned index) {
    Worker worker;
    worker.index = index;
    worker.root = roots_[index % roots_.size()].get();
    const std::unique_ptr<char, Free> aligned(static_cast<char*>(std::aligned_alloc(4096, kChurnMaxWrite)));
    worker.aligned = aligned.get();
    worker.memory = MemoryOfRandomBytes(options_.seed);
    ChurnReport mine;
    // The own file begins empty, whatever an earlier run left.
    const std::string own = "own-" + std::to_string(index);
    const Outcome begun = Expect(unlinkat(worker.root, own.c_str(), 0), "unlink", own, {ENOENT});
    if (!begun.failure.empty()) {
      stop_ = true;
      mine.failures.push_back("thread " + std::to_string(index) + " can't begin: " + begun.failure);
    }
    for (std::uint64_t number = 0; !stop_ && SteadyClock::now() < end_; ++number) {
      if (options_.operations > 0 && number == options_.operations) break;
      RunOne(worker, number, mine);
    }
    const std::lock_guard lock(mutex_);
    report_.operations += mine.operations;
    for (const auto& [name, codes] : mine.outcomes)
      for (const auto& [code, count] : codes) report_.outcomes[name][code] += count;
    for (std::string& failure : mine.failures) report_.failures.push_back(std::move(failure));
  }

  void RunOne(Worker& worker, std::uint64_t number, ChurnReport& report) {
    Rng rng(options_.seed, worker.index, number);
    const Operation& operation = *operations_[rng.Below(operations_.size())];
    const Outcome outcome = operation.run(worker, rng);
    ++report.operations;
    ++report.outcomes[operation.name][outcome.code];
    if (outcome.failure.empty()) return;
    stop_ = true;
    report.failures.push_back("thread " + std::to_string(worker.index) + ", operation " +
                              std::to_string(number) + " (" + operation.name + "): " + outcome.failure);
  }

  const ChurnOptions& options_;
  const std::vector<UniqueFd> roots_;
  const std::vector<const Operation*> operations_;
  SteadyClock::time_point end_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;  // guards report_
  ChurnReport report_;
};

}  // namespace

std::string ChurnReport::Text() const {
  std::string text;
  for (const auto& [name, codes] : outcomes) {
    text += name + ":";
    for (const auto& [code, count] : codes)
      text += std::string(" ") + (code == 0 ? "ok" : strerrorname_np(code)) + "=" + std::to_string(count);
    text += "\n";
  }
  text += std::to_string(operations) + " operations\n";
  for (const std::string& failure : failures) text += "FAILED: " + failure + "\n";
  return text;
}

Result<ChurnReport> RunChurn(const ChurnOptions& options) {
  std::vector<UniqueFd> roots;
  for (const std::string& folder : options.folders) {
    HAWSER_ASSIGN(UniqueFd fd, OpenFile(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    roots.push_back(std::move(fd));
  }
  if (roots.empty()) return Error{EINVAL, "no folder to work in"};
  return Churn(options, std::move(roots)).Run();
}

}  // namespace hawser::test
