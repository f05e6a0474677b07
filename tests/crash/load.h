// The load: all works at once, in a process of its own (hawser-crash-load), since a mount that dies may take
// those with it who have mapped its files. What was acknowledged is written down outside the mounts, by that
// process, after each step. Beside it hawser-churn makes calls of all kinds, slice by slice, so that there is
// more to compare.
//
// Not thread safe, but for threads of its own that start the processes anew when they have ended.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/result.h"
#include "tests/crash/work.h"

namespace hawser::test {

class Load {
 public:
  // Makes the work folders in the trees, and `folder` for its notes. `seed` is that of the churn.
  static Result<std::unique_ptr<Load>> Make(const Trees& trees, const std::string& folder,
                                            std::uint64_t seed);
  ~Load();

  void Start();
  // Lets each work finish its step. ETIMEDOUT if one doesn't in time.
  Status Stop();

  // By the name of the work: the newest step that was acknowledged.
  std::map<std::string, std::uint64_t> Acknowledged() const;
  // Until each work has been acknowledged another step. ETIMEDOUT, naming those that stand.
  Status AwaitProgress() const;
  // What a work found wrong in the mounts themselves, one a line; empty if nothing.
  std::string Violations() const;

 private:
  Load(Trees trees, std::string folder, std::uint64_t seed)
      : trees_(std::move(trees)), folder_(std::move(folder)), seed_(seed) {}
  void KeepWorking();
  void KeepChurning();
  void Fails(const std::string& what);

  const Trees trees_;
  const std::string folder_;
  std::uint64_t seed_;  // of the next slice of churn
  std::vector<std::thread> keepers_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;  // guards failure_
  std::string failure_;
};

// The notes in that folder.
std::string AcknowledgedPath(const std::string& folder, const std::string& work);
std::string ViolationsPath(const std::string& folder);
std::uint64_t LastAcknowledged(const std::string& path);

}  // namespace hawser::test
