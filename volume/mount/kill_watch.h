// Notices that a process whose call is waiting is being killed.
//
// The kernel tells a filesystem of any signal that the caller of a request gets, once. Giving up for each
// would make calls fail with EINTR where programs never expect it of a disk. So a call is given up only if
// its caller is about to die, as on a hard NFS mount: from the first signal on, the caller is looked at ten
// times a second.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "common/base/mutex.h"

namespace hawser {

// Whether the thread is about to die (any fatal signal becomes a SIGKILL), or is gone.
bool IsBeingKilled(pid_t thread);

class KillWatch {
 public:
  // `some_killed`: called after callers have been found to be killed, under no lock, in the watch's thread.
  explicit KillWatch(std::function<void()> some_killed) : some_killed_(std::move(some_killed)) {}
  ~KillWatch();
  KillWatch(const KillWatch&) = delete;
  KillWatch& operator=(const KillWatch&) = delete;

  // Sets *killed once thread `caller` is being killed, until Remove(killed).
  void Add(pid_t caller, std::atomic<bool>* killed);
  void Remove(std::atomic<bool>* killed);
  // Nobody is watched any more, nor told. Again does nothing.
  void Stop();

 private:
  void StartThread() HAWSER_REQUIRES(mutex_);
  void Run();
  void TellOfKilled() HAWSER_REQUIRES(mutex_);  // lets go of it

  const std::function<void()> some_killed_;
  Mutex mutex_;
  CondVar changed_;
  std::map<std::atomic<bool>*, pid_t> watched_ HAWSER_GUARDED_BY(mutex_);
  bool stopping_ HAWSER_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // started by the first signal
};

}  // namespace hawser
