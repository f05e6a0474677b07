// Watches a counter in the mounts of secondaries, all the time: it may stand, and be out of sight while a
// node is away, but never run backwards. A thread of its own.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace hawser::test {

class Watcher {
 public:
  // Files that only grow.
  explicit Watcher(std::vector<std::string> files);
  ~Watcher();

  // From now on a file may shrink by so many bytes: what a primary whose store was full has taken back. It
  // was never acknowledged.
  void AllowShrinking(long bytes) { allowed_ = bytes; }

  // What ran backwards; empty: nothing.
  std::string Violation() const;

 private:
  void Run();

  const std::vector<std::string> files_;
  std::atomic<bool> stop_ = false;
  std::atomic<long> allowed_ = 0;
  mutable std::mutex mutex_;  // guards violation_
  std::string violation_;
  std::thread thread_;
};

}  // namespace hawser::test
