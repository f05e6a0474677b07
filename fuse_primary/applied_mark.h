// How far a primary's store has got: the newest known write group up to which every record of this primary is
// applied.
//
// Calls are applied out of order, and a record may be in the journal before its caller knows. What bounds the
// mark is I2: a call's group comes after every group that was known before the call was submitted. So the
// mark never passes what was known when the oldest call still in flight began.
//
// Pure but for its lock; thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "common/base/mutex.h"
#include "common/record/position.h"

namespace hawser {

class AppliedMark {
 public:
  explicit AppliedMark(const Progress& start) { known_.emplace(start.position.group.value, start); }

  // A call is about to be submitted. To be ended by Done() whatever becomes of it.
  using Call = std::multiset<std::uint64_t>::iterator;
  Call Begin();
  // The newest group that was known when the call began.
  static Group KnownBefore(Call call) { return Group(*call); }
  // The call's record is applied, or will never be. For one whose outcome isn't known: not before it is.
  void Done(Call call);

  // A durable group that was heard of: by an acknowledgement (before Done) or from the relay's reports. One
  // of another journal is not heeded.
  void Known(const Progress& group);

  // Everything up to here is applied. Never goes back.
  Progress Get() const;

  // Whether no call is in flight: nothing after the mark is applied either.
  bool idle() const;

 private:
  mutable Mutex mutex_;
  std::map<std::uint64_t, Progress> known_
      HAWSER_GUARDED_BY(mutex_);  // by group; the first is the mark; never empty
  std::multiset<std::uint64_t> in_flight_
      HAWSER_GUARDED_BY(mutex_);  // the newest known group as each call began

  void Advance() HAWSER_REQUIRES(mutex_);
};

}  // namespace hawser
