// Where every node is, and what may therefore be deleted. Pure: time is given from outside. One thread
// (control.h).
//
// The registered nodes are those of the config that hold volumes, primaries too: they redo from their
// checkpoint. A node never heard of holds everything back. A node whose checkpoint the journal no longer
// reaches has lost the rope: it needs a sync, and holds nothing back.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/net/messages.h"

namespace hawser {

// The relay's journal as the other threads know it.
struct JournalFacts {
  Progress head;
  Progress oldest;
  std::vector<Progress> milestones;  // ascending; groups through which may be dropped
  std::vector<VolumeFact> volumes;
};

struct Lag {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::chrono::nanoseconds time{0};  // head's group minus applied group; 0 when equal
};

struct ReplicaStatus {
  VolumeName volume;
  ReplicaRole role = ReplicaRole::kSecondary;
  ReplicaState state = ReplicaState::kUnknown;
  Progress applied;
  Progress checkpoint;
  Lag lag;
  std::string problem;
};

// A node as a whole is as well off as the worst of its volumes.
struct NodeStatus {
  NodeName node;
  ReplicaRole role = ReplicaRole::kSecondary;
  ReplicaState state = ReplicaState::kUnknown;
  Progress received;
  Progress applied;
  Progress checkpoint;
  Lag lag;
  std::string problem;
  std::vector<ReplicaStatus> volumes;
};

struct RetentionRules {
  std::uint64_t keep_size = 0;
  std::chrono::seconds keep_time{0};
  WhenFull when_full = WhenFull::kDropSlowest;
  std::uint64_t reserve_bytes = 0;  // of the journal's filesystem, to stay free
};

struct RetentionDecision {
  std::optional<Group> drop_through;
  bool hold_writers = false;
  std::vector<NodeName> dropped;  // nodes given up now: they need a sync
};

class Tracker {
 public:
  // `silence`: a node that has not reported for so long is disconnected.
  Tracker(const std::map<NodeName, NodeConfig>& nodes, SteadyClock::duration silence, RetentionRules rules);

  bool IsMember(const NodeName& node) const { return members_.contains(node); }

  // Reports of an older session than the newest heard of are ignored, and so are late copies: in a session,
  // positions only grow.
  void Heard(const Report& report, Deadline now);

  // All members.
  std::vector<NodeStatus> Status(const JournalFacts& facts, Deadline now) const;

  // Whether the journal no longer reaches back to where the node is, or is about to.
  bool NeedsSync(const NodeName& node, const JournalFacts& facts) const;

  // What to do about the journal's size, with `free_bytes` left on its filesystem.
  RetentionDecision Decide(const JournalFacts& facts, Timestamp now, std::uint64_t free_bytes);

 private:
  struct Member {
    std::vector<VolumeName> volumes;
    std::optional<Report> report;
    Deadline heard;
  };

  Group CheckpointOf(const Member& member, const JournalFacts& facts) const;
  std::set<NodeName> Holding(const JournalFacts& facts) const;
  Group SafeGroup(const std::set<NodeName>& holding, const JournalFacts& facts) const;
  std::optional<NodeName> Slowest(const std::set<NodeName>& holding, const JournalFacts& facts) const;
  bool CanSpare(const NodeName& node, const std::set<NodeName>& holding) const;
  std::optional<Group> DroppableByKeep(Group safe, const JournalFacts& facts, Timestamp now) const;
  std::optional<Group> GiveUpSlowest(std::set<NodeName> holding, const JournalFacts& facts,
                                     std::vector<NodeName>& dropped);
  NodeStatus StatusOf(const NodeName& node, const Member& member, const JournalFacts& facts,
                      Deadline now) const;
  ReplicaStatus StatusOf(const NodeName& node, const VolumeName& volume, const Member& member,
                         const JournalFacts& facts, ReplicaState overall) const;

  const SteadyClock::duration silence_;
  const RetentionRules rules_;
  std::map<NodeName, Member> members_;
  std::set<NodeName> given_up_;
};

}  // namespace hawser
