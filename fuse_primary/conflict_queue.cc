#include "fuse_primary/conflict_queue.h"

#include <algorithm>

namespace hawser {

namespace {

bool Contains(const std::vector<ino_t>& inodes, ino_t inode) {
  return std::find(inodes.begin(), inodes.end(), inode) != inodes.end();
}

bool LeadsThrough(const LockSet& set, std::optional<ino_t> moved) {
  return moved && (Contains(set.nodes, *moved) || Contains(set.lineage, *moved));
}

}  // namespace

bool Conflict(const LockSet& one, const LockSet& other) {
  const bool common = std::any_of(one.nodes.begin(), one.nodes.end(),
                                  [&](ino_t inode) { return Contains(other.nodes, inode); });
  return common || LeadsThrough(one, other.moved) || LeadsThrough(other, one.moved);
}

Result<ConflictQueue::Ticket> ConflictQueue::Enter(LockSet locks, const Patience& patience) {
  const MutexLock lock(mutex_);
  const auto place = places_.emplace(places_.end());
  place->locks = std::move(locks);
  place->admitted = !IsBlocked(place);
  while (!place->admitted) {
    if (auto over = patience.Over()) {
      places_.erase(place);
      AdmitWaiting();
      return Error{over->code, over->message + " while waiting for another call on the same file"};
    }
    (void)place->turn.WaitUntil(mutex_, patience.NextLook());
  }
  return Ticket(this, place);
}

void ConflictQueue::Leave(std::list<Place>::iterator place) {
  const MutexLock lock(mutex_);
  places_.erase(place);
  AdmitWaiting();
}

bool ConflictQueue::IsBlocked(std::list<Place>::const_iterator place) const {
  return std::any_of(places_.begin(), place,
                     [&](const Place& earlier) { return Conflict(earlier.locks, place->locks); });
}

void ConflictQueue::AdmitWaiting() {
  for (auto place = places_.begin(); place != places_.end(); ++place) {
    if (place->admitted || IsBlocked(place)) continue;
    place->admitted = true;
    place->turn.NotifyOne();
  }
}

}  // namespace hawser
