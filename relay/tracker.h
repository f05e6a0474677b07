// Where every node is, and what may therefore be deleted (by the rules of retention.h). Pure: time is given
// from outside. One thread (control.h).
//
// The registered nodes are those of the config that hold volumes, primaries too: they redo from their
// checkpoint.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/net/messages.h"
#include "relay/retention.h"

namespace hawser {

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

class Tracker {
 public:
  // `silence`: a node that has not reported for so long is disconnected. `began`: since when reports can have
  // come.
  Tracker(const std::map<NodeName, NodeConfig>& nodes, SteadyClock::duration silence, RetentionRules rules,
          Deadline began);

  // AgreementOf the relay's config: nodes with another one have a problem.
  void set_config(std::uint64_t config) { config_ = config; }

  bool IsMember(const NodeName& node) const { return members_.contains(node); }

  // Reports of an older session than the newest heard of are ignored, and so are late copies: in a session,
  // positions only grow.
  void Heard(const Report& report, Deadline now);

  // All members.
  std::vector<NodeStatus> Status(const JournalFacts& facts, Deadline now) const;

  // What to do about the journal's size, with `free_bytes` left on its filesystem.
  RetentionDecision Decide(const JournalFacts& facts, Timestamp wall, Deadline now, std::uint64_t free_bytes);

 private:
  struct Member {
    std::vector<VolumeName> volumes;
    std::optional<Report> report;
    Deadline heard;
  };

  Claim ClaimOf(const NodeName& node, const VolumeName& volume, const Member& member,
                const JournalFacts& facts) const;
  NodeStatus StatusOf(const NodeName& node, const Member& member, const JournalFacts& facts,
                      Deadline now) const;
  ReplicaStatus StatusOf(const NodeName& node, const VolumeName& volume, const Member& member,
                         const JournalFacts& facts, ReplicaState overall) const;

  const SteadyClock::duration silence_;
  const Deadline began_;
  Retention retention_;
  std::uint64_t config_ = 0;
  std::map<NodeName, Member> members_;
};

}  // namespace hawser
