#include "node/state_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <chrono>
#include <thread>

#include "common/base/clock.h"
#include "common/base/file_lock.h"
#include "common/base/files.h"
#include "common/base/log.h"
#include "common/base/state_folder.h"
#include "volume/mount/fuse_mount.h"
#include "volume/mount/kill_watch.h"
#include "volume/store/store_owner.h"

namespace hawser {

namespace {

constexpr auto kLastBreath = std::chrono::seconds(10);
constexpr auto kLook = std::chrono::milliseconds(10);

bool Take(const UniqueFd& lock) { return ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0; }

bool AwaitLock(const UniqueFd& lock, Deadline deadline) {
  while (!Take(lock)) {
    if (SteadyClock::now() > deadline) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

// Most that are killed end in a moment.
bool TakeFromDying(pid_t holder, const UniqueFd& lock, const Config& config, const NodeConfig& node) {
  constexpr auto kMoment = std::chrono::milliseconds(500);
  if (AwaitLock(lock, SteadyClock::now() + kMoment)) return true;
  log::warn(
      "process {}, which served this node, has been killed and hangs in the kernel: ending its mounts by "
      "force",
      holder);
  for (const auto& [volume, replica] : node.volumes) {
    const Status ended = Abort(replica.mount, FullName(config.group, volume));
    if (!ended && ended.error().code != ENOENT) log::warn("{}", ended.error().Text());
  }
  return AwaitLock(lock, SteadyClock::now() + kLastBreath);
}

}  // namespace

Result<UniqueFd> LockState(const Config& config, const NodeName& node) {
  const NodeConfig& own = config.nodes.at(node);
  HAWSER_TRY(MakeDirectories(own.state));
  const std::string path = StateFolder(own.state).Lock();
  HAWSER_ASSIGN(UniqueFd lock, OpenFile(path, O_RDWR | O_CREAT));
  if (Take(lock)) return lock;
  const pid_t holder = LockHolder(path).value_or(0);
  const std::string in_use = fmt::format("its state folder '{}' is in use{}", own.state,
                                         holder == 0 ? "" : fmt::format(" by process {}", holder));
  if (holder == 0 || !IsBeingKilled(holder))
    return Error{EBUSY, "it runs already: " + in_use + "; stop that process first"};
  if (TakeFromDying(holder, lock, config, own)) return lock;
  return Error{EBUSY, in_use + ", which has been killed and doesn't end: it may wait for a disk; try later"};
}

}  // namespace hawser
