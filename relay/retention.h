// What the journal keeps, and for whom. Pure: time is given from outside.
//
// Each replica (a node's copy of one volume; the primary's too, since it redoes from its checkpoint) has a
// claim of its own on the journal: the groups after its checkpoint. So a volume that a node has only just
// got, or that needs a sync, takes nothing from the node's others.
//
// - A replica that the relay has not heard of since it began is unknown, and what is unknown isn't slow: it
//   holds everything. It may be given up once it has been silent for `patience`.
// - The primary of a volume is never given up: it could not be started again after a crash, and there is
//   nobody whose volume it could be synced from. Its checkpoint moves with its writers only: held, it stands
//   where the oldest call began that waits. So writers aren't held for primaries alone, down to half of the
//   reserve.
// - A replica whose checkpoint the journal no longer reaches has lost the rope: it needs a sync, and holds
//   nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/net/messages.h"

namespace hawser {

// The relay's journal as the other threads know it.
struct JournalFacts {
  Progress head;
  Progress oldest;
  std::vector<Progress> milestones;  // ascending; through which may be dropped (writer.h)
  std::vector<VolumeFact> volumes;
};

struct ReplicaName {
  NodeName node;
  VolumeName volume;
  friend auto operator<=>(const ReplicaName&, const ReplicaName&) = default;
};

struct Claim {
  ReplicaName replica;
  bool primary = false;
  std::optional<Group> checkpoint;  // nullopt: not heard of yet
};

struct RetentionRules {
  std::uint64_t keep_size = 0;
  std::chrono::seconds keep_time{0};
  WhenFull when_full = WhenFull::kDropSlowest;
  std::uint64_t reserve_bytes = 0;  // of the journal's filesystem, to stay free
};

// The moment of a decision.
struct RetentionMoment {
  Timestamp now;
  bool patient = false;  // silent replicas have had their time to report
  std::uint64_t free_bytes = 0;
};

struct RetentionDecision {
  std::optional<Group> drop_through;
  bool hold_writers = false;
  std::vector<ReplicaName> dropped;  // given up now: they need a sync
};

// The decisions are remembered as far as replicas were given up unheard. One thread.
class Retention {
 public:
  explicit Retention(RetentionRules rules) : rules_(rules) {}

  // Whether the journal no longer reaches back to where the replica is, or is about to.
  bool NeedsSync(const Claim& claim, const JournalFacts& facts) const;

  // What to do about the journal's size.
  RetentionDecision Decide(const std::vector<Claim>& claims, const JournalFacts& facts,
                           const RetentionMoment& moment);

 private:
  using Claims = std::vector<const Claim*>;

  bool CanSpare(const Claim& claim, const Claims& holding, bool patient) const;
  static bool PrimariesAloneHold(const Claims& holding, const JournalFacts& facts);
  const Claim* Slowest(const Claims& holding, bool patient) const;
  std::optional<Group> DroppableByKeep(Group safe, const JournalFacts& facts, Timestamp now) const;
  std::optional<Group> GiveUpSlowest(Claims holding, const JournalFacts& facts, bool patient,
                                     std::vector<ReplicaName>& dropped);

  const RetentionRules rules_;
  std::set<ReplicaName> given_up_;
};

}  // namespace hawser
