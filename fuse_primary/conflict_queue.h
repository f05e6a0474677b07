// Keeps conflicting calls apart (I3): a call gets its turn when nothing that came before it, waiting or under
// way, conflicts with it. First come, first served among those that conflict, so nobody starves.
//
// Two calls conflict if they change a common inode, or if one of them moves a directory that the other's
// paths lead through. What a ticket holds is a place in this queue, not a mutex: it may be held over the
// network.
//
// Thread safe.
#pragma once

#include <list>

#include "common/base/mutex.h"
#include "common/base/result.h"
#include "fuse_primary/patience.h"
#include "volume/mount/role.h"

namespace hawser {

bool Conflict(const LockSet& one, const LockSet& other);

class ConflictQueue {
 private:
  struct Place {
    LockSet locks;
    bool admitted = false;
    CondVar turn;
  };

 public:
  // The turn, until it is destroyed.
  class Ticket {
   public:
    Ticket(Ticket&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)), place_(other.place_) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (queue_ != nullptr) queue_->Leave(place_);
    }

   private:
    friend class ConflictQueue;
    Ticket(ConflictQueue* queue, std::list<Place>::iterator place) : queue_(queue), place_(place) {}

    ConflictQueue* queue_;
    std::list<Place>::iterator place_;
  };

  // Waits for the turn. ECANCELED, ETIMEDOUT: `patience` has ended first.
  Result<Ticket> Enter(LockSet locks, const Patience& patience);

 private:
  void Leave(std::list<Place>::iterator place);
  bool IsBlocked(std::list<Place>::const_iterator place) const HAWSER_REQUIRES(mutex_);
  void AdmitWaiting() HAWSER_REQUIRES(mutex_);

  Mutex mutex_;
  std::list<Place> places_ HAWSER_GUARDED_BY(mutex_);  // in order of arrival
};

}  // namespace hawser
