#include "volume/mount/kill_watch.h"

#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>
#include <system_error>

#include "common/base/files.h"
#include "common/base/log.h"

namespace hawser {

namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);

}  // namespace

// From /proc/TID/status: its state, and the mask of signals pending for the thread.
bool IsBeingKilled(pid_t thread) {
  const auto status = ReadFile(fmt::format("/proc/{}/status", thread));
  if (!status || status->find("\nState:\tZ") != std::string::npos) return true;
  constexpr std::string_view kField = "\nSigPnd:";
  const std::size_t at = status->find(kField);
  if (at == std::string::npos) return true;
  const auto pending = std::strtoull(status->c_str() + at + kField.size(), nullptr, 16);
  return (pending & (1ULL << (SIGKILL - 1))) != 0;
}

KillWatch::~KillWatch() { Stop(); }

void KillWatch::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void KillWatch::Add(pid_t caller, std::atomic<bool>* killed) {
  const MutexLock lock(mutex_);
  watched_[killed] = caller;
  StartThread();
  changed_.NotifyAll();
}

// The system may have no thread left: until it has, who is killed ends when the answer comes.
void KillWatch::StartThread() {
  if (stopping_ || thread_.joinable()) return;
  try {
    thread_ = std::thread(&KillWatch::Run, this);
  } catch (const std::system_error& problem) {
    log::warn("callers that are killed aren't noticed for now, no thread can be started: {}", problem.what());
  }
}

void KillWatch::Remove(std::atomic<bool>* killed) {
  const MutexLock lock(mutex_);
  watched_.erase(killed);
}

void KillWatch::TellOfKilled() {
  mutex_.Unlock();
  some_killed_();
  mutex_.Lock();
}

void KillWatch::Run() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    if (watched_.empty()) {
      changed_.Wait(mutex_);
      continue;
    }
    bool some = false;
    for (const auto& [killed, caller] : watched_) {
      if (!IsBeingKilled(caller)) continue;
      killed->store(true);
      some = true;
    }
    if (some) TellOfKilled();
    const Deadline next = SteadyClock::now() + kInterval;
    while (!stopping_ && changed_.WaitUntil(mutex_, next)) {
    }
  }
}

}  // namespace hawser
