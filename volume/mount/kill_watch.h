// Notices that a process whose call is waiting is being killed.
//
// The kernel tells a filesystem of any signal that the caller of a request gets, once. Giving up for each
// would make calls fail with EINTR where programs never expect it of a disk. So a call is given up only if
// its caller is about to die, as on a hard NFS mount: from the first signal on, the caller is looked at ten
// times a second.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <map>
#include <thread>

#include "common/base/mutex.h"

namespace hawser {

class KillWatch {
 public:
  KillWatch() = default;
  ~KillWatch();
  KillWatch(const KillWatch&) = delete;
  KillWatch& operator=(const KillWatch&) = delete;

  // Sets *killed once thread `caller` has a SIGKILL pending (any fatal signal becomes one), until
  // Remove(killed).
  void Add(pid_t caller, std::atomic<bool>* killed);
  void Remove(std::atomic<bool>* killed);

 private:
  void StartThread() HAWSER_REQUIRES(mutex_);
  void Run();

  Mutex mutex_;
  CondVar changed_;
  std::map<std::atomic<bool>*, pid_t> watched_ HAWSER_GUARDED_BY(mutex_);
  bool stopping_ HAWSER_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // started by the first signal
};

}  // namespace hawser
