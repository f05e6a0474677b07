#include "relay/tracker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hawser {

namespace {

std::uint64_t Difference(std::uint64_t larger, std::uint64_t smaller) {
  return larger > smaller ? larger - smaller : 0;
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
    // A new role begins where the store is known to be.
    if (before == last.volumes.end() || volume.generation != before->generation) return false;
    // Groups of one journal: a session doesn't change it, and before the first group (0) there is none.
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

// The hindmost of several; nullopt if that of one isn't known.
void Hindmost(bool first, std::optional<Progress>& hindmost, const std::optional<Progress>& progress) {
  const bool behind = hindmost && progress && progress->position.group < hindmost->position.group;
  if (first || !progress || behind) hindmost = progress;
}

std::string NotHeardOf(SteadyClock::duration time, const std::string& last) {
  return fmt::format("not heard of for {:.1f} s: it is cut off, stopped or hangs{}{}",
                     std::chrono::duration<double>(time).count(), last.empty() ? "" : "; before: ", last);
}

}  // namespace

Tracker::Tracker(const std::map<NodeName, NodeConfig>& nodes, TrackerTimes times, RetentionRules rules)
    : times_(times), retention_(rules) {
  for (const auto& [name, node] : nodes) {
    Member member;
    for (const auto& [volume, replica] : node.volumes) member.volumes.push_back(volume);
    if (!member.volumes.empty()) members_.emplace(name, std::move(member));
  }
}

void Tracker::Remember(const JournalFacts& facts, Timestamp wall, Deadline now) {
  const auto found = [&](const Progress& progress) {
    const std::int64_t ago = std::max<std::int64_t>(wall.nanoseconds - progress.time.nanoseconds, 0);
    heads_.Found(progress.position.group, now - std::chrono::nanoseconds(ago));
  };
  for (const Progress& milestone : facts.milestones) found(milestone);
  found(facts.head);
}

void Tracker::HeadIs(const Progress& head, Deadline now) {
  heads_.Found(head.position.group, now);
  Group everywhere = head.position.group;
  for (const auto& [name, member] : members_) {
    if (!member.report) return;
    for (const VolumeReport& volume : member.report->volumes)
      everywhere = std::min(everywhere, volume.applied.position.group);
  }
  heads_.Forget(everywhere);
}

// The time from when the head went beyond it: not from the last write, which may be long ago.
std::optional<Lag> Tracker::LagOf(const std::optional<Progress>& applied, const JournalFacts& facts,
                                  Deadline now) const {
  if (!applied || IsOfAnotherJournal(*applied, facts)) return std::nullopt;
  Lag lag;
  lag.records = Difference(facts.head.position.sequence.value, applied->position.sequence.value);
  if (lag.records == 0) return lag;
  lag.bytes = Difference(facts.head.journal_bytes, applied->journal_bytes);
  if (const auto since = heads_.Since(applied->position.group)) lag.time = now - *since;
  return lag;
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
  return retention_.Decide(claims, facts, {wall, now - times_.began > times_.patience, free_bytes});
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
  status.state = ReplicaState::kLive;  // so far
  if (member.report) {
    status.received = member.report->received;
    status.heard = member.heard;
  }
  for (const VolumeName& volume : member.volumes) {
    ReplicaStatus replica = StatusOf(node, volume, member, facts, now);
    const bool first = status.volumes.empty();
    status.role = first ? replica.role : Together(status.role, replica.role);
    const bool worst = first || Worse(status.state, replica.state) != status.state;
    if (worst || status.problem.empty()) status.problem = replica.problem;
    status.state = Worse(status.state, replica.state);
    status.differences += replica.differences;
    status.unanswered += replica.unanswered;
    Hindmost(first, status.applied, replica.applied);
    Hindmost(first, status.checkpoint, replica.checkpoint);
    status.volumes.push_back(std::move(replica));
  }
  status.lag = LagOf(status.applied, facts, now);
  return status;
}

ReplicaStatus Tracker::StatusOf(const NodeName& node, const VolumeName& volume, const Member& member,
                                const JournalFacts& facts, Deadline now) const {
  ReplicaStatus status;
  status.volume = volume;
  status.role = IsPrimary(node, volume, facts) ? ReplicaRole::kPrimary : ReplicaRole::kSecondary;
  status.state = ReplicaState::kLive;  // so far
  // What was said first is the reason.
  const auto note = [&status](ReplicaState state, std::string problem) {
    status.state = Worse(status.state, state);
    if (status.problem.empty()) status.problem = std::move(problem);
  };
  const VolumeReport* report = FindReport(member.report, volume);
  if (report != nullptr) {
    status.role = report->role;
    status.state = report->state;
    status.applied = report->applied;
    status.checkpoint = report->checkpoint;
    status.problem = report->problem;
    status.differences = report->differences;
    status.differing = report->differing;
    status.unanswered = report->unanswered;
    status.generation = report->generation;
    status.held_for = report->held_for;
    if (IsOfAnotherJournal(report->applied, facts)) {
      status.problem.clear();
      note(ReplicaState::kDiverged, "it follows another journal than this relay's");
    }
  }
  if (retention_.NeedsSync(ClaimOf(node, volume, member, facts), facts)) {
    note(ReplicaState::kNeedsSync, "the relay's journal no longer reaches back to its checkpoint");
  } else if (!member.report) {
    note(ReplicaState::kUnknown, "not heard of since the relay was started");
  } else if (report == nullptr) {
    note(ReplicaState::kUnknown, "the node does not report this volume");
  }
  if (member.report && now - member.heard > times_.silence) {
    status.problem = NotHeardOf(now - member.heard, status.problem);
    note(ReplicaState::kDisconnected, "");
  }
  if (member.report && member.report->config != config_)
    note(status.state, "its config isn't the relay's: the same file belongs on every machine");
  status.lag = LagOf(status.applied, facts, now);
  return status;
}

}  // namespace hawser
