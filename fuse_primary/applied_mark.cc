#include "fuse_primary/applied_mark.h"

namespace hawser {

AppliedMark::Call AppliedMark::Begin() {
  const MutexLock lock(mutex_);
  return in_flight_.insert(known_.rbegin()->first);
}

void AppliedMark::Done(Call call) {
  const MutexLock lock(mutex_);
  in_flight_.erase(call);
  Advance();
}

void AppliedMark::Known(const Progress& group) {
  const MutexLock lock(mutex_);
  if (group.position.journal != known_.begin()->second.position.journal) return;
  if (group.position.group.value > known_.begin()->first) known_.emplace(group.position.group.value, group);
  Advance();
}

Progress AppliedMark::Get() const {
  const MutexLock lock(mutex_);
  return known_.begin()->second;
}

bool AppliedMark::idle() const {
  const MutexLock lock(mutex_);
  return in_flight_.empty();
}

// Forgets what lies before the mark. Between the mark and the newest known group, only as many groups are
// kept as calls have been answered since the oldest one in flight began.
void AppliedMark::Advance() {
  const std::uint64_t bound = in_flight_.empty() ? known_.rbegin()->first : *in_flight_.begin();
  known_.erase(known_.begin(), std::prev(known_.upper_bound(bound)));
}

}  // namespace hawser
