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
  if (report.from.session != last.from.session) return report.from.session < last.from.session;
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

}  // namespace

Tracker::Tracker(const std::map<NodeName, NodeConfig>& nodes, SteadyClock::duration silence,
                 RetentionRules rules, Deadline began)
    : silence_(silence), began_(began), retention_(rules) {
  for (const auto& [name, node] : nodes) {
    Member member;
    for (const auto& [volume, replica] : node.volumes) member.volumes.push_back(volume);
    if (!member.volumes.empty()) members_.emplace(name, std::move(member));
  }
}

void Tracker::Heard(const Report& report, Deadline now) {
  const auto found = members_.find(report.from.node);
  if (found == members_.end()) return;
  Member& member = found->second;
  if (member.report && IsOutdated(report, *member.report)) return;
  member.report = report;
  member.heard = now;
}

// Where the numbers don't compare, the checkpoint is nowhere in this journal.
Claim Tracker::ClaimOf(const NodeName& node, const VolumeName& volume, const Member& member,
                       const JournalFacts& facts) const {
  Claim claim{{node, volume}, IsPrimary(node, volume, facts), std::nullopt};
  if (const VolumeReport* report = FindReport(member.report, volume)) {
    const bool comparable = !IsOfAnotherJournal(report->checkpoint, facts);
    claim.checkpoint = comparable ? report->checkpoint.position.group : Group(0);
  }
  return claim;
}

RetentionDecision Tracker::Decide(const JournalFacts& facts, Timestamp wall, Deadline now,
                                  std::uint64_t free_bytes) {
  std::vector<Claim> claims;
  for (const auto& [name, member] : members_) {
    for (const VolumeName& volume : member.volumes) claims.push_back(ClaimOf(name, volume, member, facts));
  }
  return retention_.Decide(claims, facts, {wall, now - began_ > silence_, free_bytes});
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
  if (member.report) status.received = member.report->received;
  if (member.report && member.report->config != config_)
    status.problem = "its config isn't the relay's: the same file belongs on every machine";
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
  if (retention_.NeedsSync(ClaimOf(node, volume, member, facts), facts)) {
    status.state = Worse(status.state, ReplicaState::kNeedsSync);
    if (status.problem.empty())
      status.problem = "the relay's journal no longer reaches back to its checkpoint";
  }
  status.lag = LagOf(status.applied, facts);
  return status;
}

}  // namespace hawser
