#include "relay/tracker.h"

#include <algorithm>

namespace hawser {

namespace {

std::uint64_t Difference(std::uint64_t larger, std::uint64_t smaller) {
  return larger > smaller ? larger - smaller : 0;
}

// Who has applied nothing yet is late since the oldest time that is known, not since 1970.
Lag LagOf(const Progress& applied, const JournalFacts& facts) {
  Lag lag;
  lag.records = Difference(facts.head.position.sequence.value, applied.position.sequence.value);
  if (lag.records == 0) return lag;
  lag.bytes = Difference(facts.head.journal_bytes, applied.journal_bytes);
  Timestamp since = applied.time;
  if (applied.position.group.value == 0) {
    if (facts.milestones.empty()) return lag;
    since = facts.milestones.front().time;
  }
  lag.time =
      std::chrono::nanoseconds(std::max<std::int64_t>(facts.head.time.nanoseconds - since.nanoseconds, 0));
  return lag;
}

const VolumeReport* FindReport(const std::optional<Report>& report, const VolumeName& volume) {
  if (!report) return nullptr;
  const auto found = std::find_if(report->volumes.begin(), report->volumes.end(),
                                  [&](const VolumeReport& candidate) { return candidate.volume == volume; });
  return found == report->volumes.end() ? nullptr : &*found;
}

// Whether `report` was made before `last`: a copy of it can arrive late, over a connection that was thought
// to be dead.
bool IsOutdated(const Report& report, const Report& last) {
  if (report.session != last.session) return report.session < last.session;
  return std::any_of(report.volumes.begin(), report.volumes.end(), [&](const VolumeReport& volume) {
    const auto before =
        std::find_if(last.volumes.begin(), last.volumes.end(),
                     [&](const VolumeReport& other) { return other.volume == volume.volume; });
    if (before == last.volumes.end()) return false;
    // Whatever the journal: nothing is in none, and a session stays in one.
    return volume.checkpoint.position.group < before->checkpoint.position.group ||
           volume.applied.position.group < before->applied.position.group;
  });
}

bool IsPrimary(const NodeName& node, const VolumeName& volume, const JournalFacts& facts) {
  return std::any_of(facts.volumes.begin(), facts.volumes.end(),
                     [&](const VolumeFact& fact) { return fact.volume == volume && fact.primary == node; });
}

bool IsOfAnotherJournal(const Progress& progress, const JournalFacts& facts) {
  return progress.position.group.value != 0 && progress.position.journal != facts.head.position.journal;
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

Tracker::Tracker(const std::map<NodeName, NodeConfig>& nodes, SteadyClock::duration silence,
                 RetentionRules rules)
    : silence_(silence), rules_(rules) {
  for (const auto& [name, node] : nodes) {
    Member member;
    for (const auto& [volume, replica] : node.volumes) member.volumes.push_back(volume);
    if (!member.volumes.empty()) members_.emplace(name, std::move(member));
  }
}

void Tracker::Heard(const Report& report, Deadline now) {
  const auto found = members_.find(report.node);
  if (found == members_.end()) return;
  Member& member = found->second;
  if (member.report && IsOutdated(report, *member.report)) return;
  member.report = report;
  member.heard = now;
}

// The lowest of the member's volumes; 0 for a volume it has not reported, and where the numbers don't
// compare.
Group Tracker::CheckpointOf(const Member& member, const JournalFacts& facts) const {
  Group lowest = facts.head.position.group;
  for (const VolumeName& volume : member.volumes) {
    const VolumeReport* report = FindReport(member.report, volume);
    if (report == nullptr || IsOfAnotherJournal(report->checkpoint, facts)) return Group(0);
    lowest = std::min(lowest, report->checkpoint.position.group);
  }
  return lowest;
}

bool Tracker::NeedsSync(const NodeName& node, const JournalFacts& facts) const {
  const auto found = members_.find(node);
  if (found == members_.end()) return false;
  const bool behind = CheckpointOf(found->second, facts) < facts.oldest.position.group;
  return behind && (found->second.report || given_up_.contains(node));
}

// The members for whom the journal is kept.
std::set<NodeName> Tracker::Holding(const JournalFacts& facts) const {
  std::set<NodeName> holding;
  for (const auto& [name, member] : members_) {
    if (!NeedsSync(name, facts)) holding.insert(name);
  }
  return holding;
}

Group Tracker::SafeGroup(const std::set<NodeName>& holding, const JournalFacts& facts) const {
  if (holding.empty()) return Group(0);
  Group safe = facts.head.position.group;
  for (const NodeName& name : holding) safe = std::min(safe, CheckpointOf(members_.at(name), facts));
  return safe;
}

std::optional<NodeName> Tracker::Slowest(const std::set<NodeName>& holding, const JournalFacts& facts) const {
  std::optional<NodeName> slowest;
  for (const NodeName& name : holding) {
    if (!CanSpare(name, holding)) continue;
    if (!slowest || CheckpointOf(members_.at(name), facts) < CheckpointOf(members_.at(*slowest), facts))
      slowest = name;
  }
  return slowest;
}

// Whether each of the node's volumes is held by somebody else for whom the journal is kept: what no replica
// has checkpointed is never deleted.
bool Tracker::CanSpare(const NodeName& node, const std::set<NodeName>& holding) const {
  const auto& volumes = members_.at(node).volumes;
  return std::all_of(volumes.begin(), volumes.end(), [&](const VolumeName& volume) {
    return std::any_of(holding.begin(), holding.end(), [&](const NodeName& other) {
      const auto& theirs = members_.at(other).volumes;
      return other != node && std::find(theirs.begin(), theirs.end(), volume) != theirs.end();
    });
  });
}

std::optional<Group> Tracker::DroppableByKeep(Group safe, const JournalFacts& facts, Timestamp now) const {
  std::optional<Group> droppable;
  for (const Progress& milestone : facts.milestones) {
    if (milestone.position.group > safe) break;
    if (milestone.position.group <= facts.oldest.position.group) continue;
    const bool over_size = Difference(facts.head.journal_bytes, milestone.journal_bytes) >= rules_.keep_size;
    const auto age = std::chrono::nanoseconds(now.nanoseconds - milestone.time.nanoseconds);
    if (over_size || age >= rules_.keep_time) droppable = milestone.position.group;
  }
  return droppable;
}

// Gives up the slowest members, one after the other, until something can be deleted; nothing if that can't
// help.
std::optional<Group> Tracker::GiveUpSlowest(std::set<NodeName> holding, const JournalFacts& facts,
                                            std::vector<NodeName>& dropped) {
  while (const auto slowest = Slowest(holding, facts)) {
    holding.erase(*slowest);
    dropped.push_back(*slowest);
    const Group safe = SafeGroup(holding, facts);
    if (const auto droppable = NewestDroppable(safe, facts)) {
      // Those that the deletion does not reach are kept after all.
      std::erase_if(dropped, [&](const NodeName& name) {
        return CheckpointOf(members_.at(name), facts) >= *droppable;
      });
      given_up_.insert(dropped.begin(), dropped.end());
      return droppable;
    }
  }
  dropped.clear();
  return std::nullopt;
}

RetentionDecision Tracker::Decide(const JournalFacts& facts, Timestamp now, std::uint64_t free_bytes) {
  RetentionDecision decision;
  const std::set<NodeName> holding = Holding(facts);
  const Group safe = SafeGroup(holding, facts);
  decision.drop_through = DroppableByKeep(safe, facts, now);
  if (free_bytes >= rules_.reserve_bytes) return decision;

  decision.drop_through = NewestDroppable(safe, facts);
  if (!decision.drop_through && rules_.when_full == WhenFull::kDropSlowest)
    decision.drop_through = GiveUpSlowest(holding, facts, decision.dropped);
  decision.hold_writers = !decision.drop_through || free_bytes < rules_.reserve_bytes / 2;
  return decision;
}

std::vector<NodeStatus> Tracker::Status(const JournalFacts& facts, Deadline now) const {
  std::vector<NodeStatus> nodes;
  for (const auto& [name, member] : members_) nodes.push_back(StatusOf(name, member, facts, now));
  return nodes;
}

NodeStatus Tracker::StatusOf(const NodeName& node, const Member& member, const JournalFacts& facts,
                             Deadline now) const {
  NodeStatus status;
  status.node = node;
  // What the relay itself knows of the node; volumes may be worse.
  status.state = ReplicaState::kLive;
  if (!member.report || now - member.heard > silence_) status.state = ReplicaState::kDisconnected;
  if (NeedsSync(node, facts)) {
    status.state = ReplicaState::kNeedsSync;
    status.problem = "the relay's journal no longer reaches back to its checkpoint";
  }
  if (member.report) status.received = member.report->received;
  const ReplicaState overall = status.state;
  for (const VolumeName& volume : member.volumes) {
    ReplicaStatus replica = StatusOf(node, volume, member, facts, overall);
    const bool first = status.volumes.empty();
    status.role = first ? replica.role : Together(status.role, replica.role);
    status.state = Worse(status.state, replica.state);
    if (status.problem.empty()) status.problem = replica.problem;
    if (first || replica.applied.position.group < status.applied.position.group)
      status.applied = replica.applied;
    if (first || replica.checkpoint.position.group < status.checkpoint.position.group)
      status.checkpoint = replica.checkpoint;
    status.volumes.push_back(std::move(replica));
  }
  status.lag = LagOf(status.applied, facts);
  return status;
}

ReplicaStatus Tracker::StatusOf(const NodeName& node, const VolumeName& volume, const Member& member,
                                const JournalFacts& facts, ReplicaState overall) const {
  ReplicaStatus status;
  status.volume = volume;
  status.role = IsPrimary(node, volume, facts) ? ReplicaRole::kPrimary : ReplicaRole::kSecondary;
  status.state = overall;
  if (const VolumeReport* report = FindReport(member.report, volume)) {
    status.role = report->role;
    status.state = Worse(overall, report->state);
    status.applied = report->applied;
    status.checkpoint = report->checkpoint;
    status.problem = report->problem;
    if (IsOfAnotherJournal(report->applied, facts)) {
      status.state = ReplicaState::kDiverged;
      status.problem = "it follows another journal than this relay's";
    }
  } else if (member.report) {
    status.state = Worse(overall, ReplicaState::kDisconnected);
    status.problem = "the node does not report this volume";
  }
  status.lag = LagOf(status.applied, facts);
  return status;
}

}  // namespace hawser
