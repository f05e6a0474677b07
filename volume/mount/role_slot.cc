#include "volume/mount/role_slot.h"

namespace hawser {

RoleSlot::Lease RoleSlot::Take() {
  while ((state_.fetch_add(kLease) & kClosed) != 0) {
    GiveBack();
    const MutexLock lock(mutex_);
    while ((state_.load() & kClosed) != 0) changed_.Wait(mutex_);
  }
  return {this, role_.get()};
}

void RoleSlot::GiveBack() {
  const std::uint32_t left = state_.fetch_sub(kLease) - kLease;
  if (left >= kLease || left == 0) return;
  // Under the mutex, so that nobody misses it who has looked already and is about to wait.
  const MutexLock lock(mutex_);
  changed_.NotifyAll();
}

std::shared_ptr<Role> RoleSlot::role() const {
  const MutexLock lock(mutex_);
  return role_;
}

bool RoleSlot::AwaitNone(Deadline deadline) {
  // Asked and said in one step: whoever gives the last lease back sees that somebody waits.
  while (state_.fetch_or(kAwaited) >= kLease) {
    if (!changed_.WaitUntil(mutex_, deadline)) return state_.load() < kLease;
  }
  return true;
}

Status RoleSlot::Replace(std::shared_ptr<Role> next, Deadline deadline) {
  const MutexLock lock(mutex_);
  while (replacing_) {
    if (!changed_.WaitUntil(mutex_, deadline)) return Error{ETIMEDOUT, "another change of role goes on"};
  }
  replacing_ = true;
  state_.fetch_or(kClosed);
  const bool idle = AwaitNone(deadline);
  // The old role ends with `next`, after the lock.
  if (idle) role_.swap(next);
  state_.fetch_and(~(kClosed | kAwaited));
  replacing_ = false;
  changed_.NotifyAll();
  if (!idle) return Error{ETIMEDOUT, "calls in flight under the old role don't end"};
  return {};
}

bool RoleSlot::AwaitIdle(Deadline deadline) {
  const MutexLock lock(mutex_);
  return AwaitNone(deadline);
}

}  // namespace hawser
