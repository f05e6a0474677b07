// Which role a volume has, and which calls rely on it.
//
// A call takes a lease once, before it begins, and keeps it until its answer is with the kernel: it runs
// under one role from beginning to end. A change of role waits until no lease is out; calls that come
// meanwhile wait for the new role.
//
// Thread safe. Taking and giving back a lease is one atomic addition each; the mutex is for those who wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/result.h"
#include "volume/mount/role.h"

namespace hawser {

class RoleSlot {
 public:
  class Lease {
   public:
    Lease(Lease&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)), role_(other.role_) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (slot_ != nullptr) slot_->GiveBack();
    }

    Role& operator*() const { return *role_; }

   private:
    friend class RoleSlot;
    Lease(RoleSlot* slot, Role* role) : slot_(slot), role_(role) {}

    RoleSlot* slot_;
    Role* role_;
  };

  RoleSlot() = default;
  RoleSlot(const RoleSlot&) = delete;
  RoleSlot& operator=(const RoleSlot&) = delete;

  // There must be a role. Waits while it is being changed.
  Lease Take();

  // The role at present; null before the first.
  std::shared_ptr<Role> role() const;

  // Puts `next` in the old role's place at a moment when no lease is out. ETIMEDOUT: there was none before
  // `deadline`; the old role stays, and calls go on under it. Not from within a call. The old role, unless
  // somebody else has it too, is gone when this returns.
  Status Replace(std::shared_ptr<Role> next, Deadline deadline);

  // Waits for a moment without a lease, for somebody who keeps new calls away. False: there was none before
  // `deadline`.
  bool AwaitIdle(Deadline deadline);

  // Whether a change waits for leases, and calls wait for it.
  bool changing() const { return (state_.load() & kClosed) != 0; }
  std::uint32_t leases() const { return state_.load() / kLease; }

 private:
  // The bits of state_.
  static constexpr std::uint32_t kClosed = 1;   // the role is being changed: leases taken now are given back
  static constexpr std::uint32_t kAwaited = 2;  // somebody wants to know when no lease is out
  static constexpr std::uint32_t kLease = 4;    // from here on up: how many are out

  void GiveBack();
  bool AwaitNone(Deadline deadline) HAWSER_REQUIRES(mutex_);

  std::atomic<std::uint32_t> state_{0};
  // Changes only while state_ says "closed, and no lease": whoever has a lease reads it without a lock.
  std::shared_ptr<Role> role_;

  mutable Mutex mutex_;
  CondVar changed_;
  bool replacing_ HAWSER_GUARDED_BY(mutex_) = false;
};

}  // namespace hawser
