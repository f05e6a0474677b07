// When a volume's checkpoint is written, and what it says: the same for every role.
//
// A checkpoint promises that everything up to its position is on the store's disk. So it takes a flush in
// between, and comes in two halves: Begin() takes the position, the store is flushed, End() writes. What is
// applied meanwhile may be flushed or not, and isn't promised.
//
// A flush that has failed ends it for good: what the disk has of it nobody knows, and flushing again would
// only seem to succeed. The old checkpoint stays, and the next start redoes from there. A place that can't be
// written to (no room, a disk that is away) may be so again: it is tried with the next one.
//
// Each checkpoint has a mark of its own, which the store carries from before the flush on (store_mark.h). If
// writing failed, nobody knows whether the checkpoint is there all the same: the next one has the same mark,
// and so the store never needs more than two.
//
// Pure but for its place and its lock; thread safe, one checkpoint at a time. The lock isn't held while the
// place is written to.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/mutex.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "common/record/position.h"
#include "volume/recovery/checkpoint_place.h"
#include "volume/store/store.h"

namespace hawser {

// What the store may hold beyond the position that the checkpoint is to have.
enum class Beyond {
  kReplayed,  // what replay has applied since: the node's own journal has it
  kServed,    // what callers have changed since: the relay's journal has it
  kNothing,   // it came to its end, and nothing is under way: the next start needn't redo
};

class CheckpointKeeper {
 public:
  // `last`: the position that `place`, which outlives this, has now. `draw`: gives the marks, each new.
  CheckpointKeeper(CheckpointPlace& place, const Progress& last,
                   std::function<std::uint64_t()> draw = RandomNumber)
      : place_(place), draw_(std::move(draw)), last_(last) {}

  // Whether there is anything to write: the store has got further, and no flush has failed.
  bool due(const Progress& applied) const;

  struct Begun {
    Progress position;
    Beyond beyond = Beyond::kNothing;
    StoreMarks marks;  // for the store, before it is flushed
  };
  // The store holds everything up to `applied`. The error of a flush that has failed earlier, or of the
  // place.
  Result<Begun> Begin(const Progress& applied, Beyond beyond);
  // What keeps the checkpoint from being made and may pass, as when the store doesn't take the marks: it is
  // kept for trouble(), and returned.
  Error Hindered(const Error& error);
  // How the flush went that began after Begin(). Its error, or that of writing.
  Status End(const Begun& begun, Status flushed);

  Progress last() const;                 // what is written
  std::optional<Error> failure() const;  // of a flush
  // Why the newest one couldn't be written, as a sentence for people; nullopt: it could.
  std::optional<std::string> trouble() const;

 private:
  Result<StoreMarks> NextMarks(const Position& at);

  CheckpointPlace& place_;
  const std::function<std::uint64_t()> draw_;
  // Only of who makes the checkpoints, one at a time.
  std::optional<std::uint64_t> mark_;  // of the checkpoint in place; nullopt: not looked for yet
  std::uint64_t next_mark_ = 0;        // 0: to be drawn

  mutable Mutex mutex_;
  Progress last_ HAWSER_GUARDED_BY(mutex_);
  std::optional<Error> failure_ HAWSER_GUARDED_BY(mutex_);
  std::optional<Error> trouble_ HAWSER_GUARDED_BY(mutex_);
};

// Both halves with the flush of a real store between them. `crash_point` is passed when it is flushed
// (common/base/crash_point.h).
Status FlushAndKeep(CheckpointKeeper& keeper, const Store& store, const Progress& applied, Beyond beyond,
                    std::string_view crash_point);

}  // namespace hawser
