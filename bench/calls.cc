#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "bench/measure.h"
#include "common/base/unique_fd.h"

namespace hawser::bench {
namespace {

constexpr std::size_t kFileBytes = 64 << 20;

std::string Numbered(const std::string& folder, const char* what, std::size_t i) {
  return folder + "/" + what + std::to_string(i);
}

// A file a job; random ones exist in full first.
std::vector<UniqueFd> DataFiles(const std::string& folder, int jobs, bool full) {
  std::vector<UniqueFd> files;
  const std::vector<char> content(1 << 20, 'a');
  for (int job = 0; job < jobs; ++job) {
    const std::string path = Numbered(folder, "data", static_cast<std::size_t>(job));
    files.emplace_back(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    Require(static_cast<bool>(files.back()), "open " + path);
    for (std::size_t at = 0; full && at < kFileBytes; at += content.size()) {
      Require(::pwrite(files.back().get(), content.data(), content.size(), static_cast<off_t>(at)) > 0,
              "fill " + path);
    }
  }
  return files;
}

void RemoveDataFiles(const std::string& folder, int jobs) {
  for (int job = 0; job < jobs; ++job)
    ::unlink(Numbered(folder, "data", static_cast<std::size_t>(job)).c_str());
}

}  // namespace

void Require(bool well, const std::string& what) {
  if (well) return;
  std::fprintf(stderr, "hawser-bench: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(3);
}

double Rate(int jobs, std::chrono::milliseconds time, std::size_t limit,
            const std::function<void(int job, std::size_t i)>& call) {
  using Clock = std::chrono::steady_clock;
  std::atomic<std::size_t> calls{0};
  const auto begin = Clock::now();
  std::vector<std::thread> threads;
  for (int job = 0; job < jobs; ++job) {
    threads.emplace_back([&, job] {
      std::size_t i = 0;
      while (i < limit && Clock::now() - begin < time) call(job, i++);
      calls += i;
    });
  }
  for (auto& thread : threads) thread.join();
  return static_cast<double>(calls) / std::chrono::duration<double>(Clock::now() - begin).count();
}

double RandomWrites(const std::string& folder, std::size_t bytes, int jobs, std::chrono::milliseconds time) {
  const auto files = DataFiles(folder, jobs, /*full=*/true);
  std::vector<std::mt19937_64> dice;
  for (int job = 0; job < jobs; ++job) dice.emplace_back(job);
  const std::vector<char> content(bytes, 'b');
  const double rate = Rate(jobs, time, SIZE_MAX, [&](int job, std::size_t) {
    const auto at = dice[static_cast<std::size_t>(job)]() % (kFileBytes / bytes) * bytes;
    Require(::pwrite(files[static_cast<std::size_t>(job)].get(), content.data(), bytes,
                     static_cast<off_t>(at)) == static_cast<ssize_t>(bytes),
            "write");
  });
  RemoveDataFiles(folder, jobs);
  return rate;
}

double SequentialWrites(const std::string& folder, std::size_t bytes, int jobs,
                        std::chrono::milliseconds time) {
  const auto files = DataFiles(folder, jobs, /*full=*/false);
  const std::vector<char> content(bytes, 'c');
  const double rate = Rate(jobs, time, SIZE_MAX, [&](int job, std::size_t i) {
    const auto at = i * bytes % (std::size_t{1} << 30);
    Require(::pwrite(files[static_cast<std::size_t>(job)].get(), content.data(), bytes,
                     static_cast<off_t>(at)) == static_cast<ssize_t>(bytes),
            "write");
  });
  RemoveDataFiles(folder, jobs);
  return rate;
}

FileRates Files(const std::string& folder, std::chrono::milliseconds time) {
  FileRates rates;
  const std::vector<char> content(4096, 'd');
  std::size_t made = 0;
  rates.create = Rate(1, time, SIZE_MAX, [&](int, std::size_t i) {
    const UniqueFd file(
        ::open(Numbered(folder, "file", i).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    Require(static_cast<bool>(file), "create");
    Require(::write(file.get(), content.data(), content.size()) == 4096, "write a new file");
    made = i + 1;
  });
  rates.stat = Rate(1, time, SIZE_MAX, [&](int, std::size_t i) {
    struct stat seen;
    Require(::stat(Numbered(folder, "file", i % made).c_str(), &seen) == 0, "stat");
  });
  std::size_t renamed = 0;
  rates.rename = Rate(1, time, made, [&](int, std::size_t i) {
    Require(::rename(Numbered(folder, "file", i).c_str(), Numbered(folder, "moved", i).c_str()) == 0,
            "rename");
    renamed = i + 1;
  });
  for (std::size_t i = renamed; i < made; ++i)
    Require(::rename(Numbered(folder, "file", i).c_str(), Numbered(folder, "moved", i).c_str()) == 0,
            "rename");
  std::size_t gone = 0;
  rates.unlink = Rate(1, time, made, [&](int, std::size_t i) {
    Require(::unlink(Numbered(folder, "moved", i).c_str()) == 0, "unlink");
    gone = i + 1;
  });
  for (std::size_t i = gone; i < made; ++i) ::unlink(Numbered(folder, "moved", i).c_str());
  return rates;
}

}  // namespace hawser::bench
