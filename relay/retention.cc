#include "relay/retention.h"

#include <algorithm>

namespace hawser {

namespace {

Group PlaceOf(const Claim& claim) { return claim.checkpoint.value_or(Group(0)); }

std::uint64_t BytesBetween(const Progress& from, const Progress& to) {
  return to.journal_bytes > from.journal_bytes ? to.journal_bytes - from.journal_bytes : 0;
}

// Through which group nobody needs anything.
Group SafeGroup(const std::vector<const Claim*>& holding, const JournalFacts& facts) {
  if (holding.empty()) return Group(0);
  Group safe = facts.head.position.group;
  for (const Claim* claim : holding) safe = std::min(safe, PlaceOf(*claim));
  return safe;
}

// The newest milestone at or before `safe` that would free something.
std::optional<Group> NewestDroppable(Group safe, const JournalFacts& facts) {
  std::optional<Group> newest;
  for (const Progress& milestone : facts.milestones) {
    if (milestone.position.group > safe) break;
    if (milestone.position.group > facts.oldest.position.group) newest = milestone.position.group;
  }
  return newest;
}

}  // namespace

bool Retention::NeedsSync(const Claim& claim, const JournalFacts& facts) const {
  const bool behind = PlaceOf(claim) < facts.oldest.position.group;
  return behind && (claim.checkpoint || given_up_.contains(claim.replica));
}

// Whether the volume is held by somebody else for whom the journal is kept: what no replica has checkpointed
// is never deleted.
bool Retention::CanSpare(const Claim& claim, const Claims& holding, bool patient) const {
  if (claim.primary || (!claim.checkpoint && !patient)) return false;
  return std::any_of(holding.begin(), holding.end(), [&](const Claim* other) {
    return other != &claim && other->replica.volume == claim.replica.volume;
  });
}

// Whether something could be deleted but for primaries that have been heard of.
bool Retention::PrimariesAloneHold(const Claims& holding, const JournalFacts& facts) {
  Group others = facts.head.position.group;
  for (const Claim* claim : holding) {
    if (!claim->primary || !claim->checkpoint) others = std::min(others, PlaceOf(*claim));
  }
  return NewestDroppable(others, facts).has_value();
}

const Claim* Retention::Slowest(const Claims& holding, bool patient) const {
  const Claim* slowest = nullptr;
  for (const Claim* claim : holding) {
    if (!CanSpare(*claim, holding, patient)) continue;
    if (slowest == nullptr || PlaceOf(*claim) < PlaceOf(*slowest)) slowest = claim;
  }
  return slowest;
}

std::optional<Group> Retention::DroppableByKeep(Group safe, const JournalFacts& facts, Timestamp now) const {
  std::optional<Group> droppable;
  for (const Progress& milestone : facts.milestones) {
    if (milestone.position.group > safe) break;
    if (milestone.position.group <= facts.oldest.position.group) continue;
    const bool over_size = BytesBetween(milestone, facts.head) >= rules_.keep_size;
    const auto age = std::chrono::nanoseconds(now.nanoseconds - milestone.time.nanoseconds);
    if (over_size || age >= rules_.keep_time) droppable = milestone.position.group;
  }
  return droppable;
}

// Gives up the slowest, one after the other, until something can be deleted; nobody if that can't help.
std::optional<Group> Retention::GiveUpSlowest(Claims holding, const JournalFacts& facts, bool patient,
                                              std::vector<ReplicaName>& dropped) {
  Claims spared;
  while (const Claim* slowest = Slowest(holding, patient)) {
    std::erase(holding, slowest);
    spared.push_back(slowest);
    const auto droppable = NewestDroppable(SafeGroup(holding, facts), facts);
    if (!droppable) continue;
    // Those that the deletion does not reach are kept after all.
    for (const Claim* claim : spared) {
      if (PlaceOf(*claim) < *droppable) dropped.push_back(claim->replica);
    }
    given_up_.insert(dropped.begin(), dropped.end());
    return droppable;
  }
  return std::nullopt;
}

RetentionDecision Retention::Decide(const std::vector<Claim>& claims, const JournalFacts& facts,
                                    const RetentionMoment& moment) {
  Claims holding;
  for (const Claim& claim : claims) {
    if (!NeedsSync(claim, facts)) holding.push_back(&claim);
  }
  RetentionDecision decision;
  const Group safe = SafeGroup(holding, facts);
  decision.drop_through = DroppableByKeep(safe, facts, moment.now);
  if (moment.free_bytes >= rules_.reserve_bytes) return decision;

  decision.drop_through = NewestDroppable(safe, facts);
  if (!decision.drop_through && rules_.when_full == WhenFull::kDropSlowest)
    decision.drop_through = GiveUpSlowest(holding, facts, moment.patient, decision.dropped);
  const bool stuck = !decision.drop_through && !PrimariesAloneHold(holding, facts);
  decision.hold_writers = stuck || moment.free_bytes < rules_.reserve_bytes / 2;
  return decision;
}

}  // namespace hawser
