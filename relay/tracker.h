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
#include "common/record/head_times.h"
#include "relay/retention.h"

namespace hawser {

struct Lag {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  SteadyClock::duration time{0};  // since the head went beyond what is applied: to now; 0 when it hasn't
};

// Figures are those that were reported last; nullopt: unknown, as nothing was.
struct ReplicaStatus {
  VolumeName volume;
  ReplicaRole role = ReplicaRole::kSecondary;
  ReplicaState state = ReplicaState::kUnknown;
  std::optional<Progress> applied;
  std::optional<Progress> checkpoint;
  std::optional<Lag> lag;
  std::string problem;
  std::uint64_t differences = 0;       // paths that are known to differ
  std::vector<std::string> differing;  // the first of them, a line each
  std::uint64_t unanswered = 0;        // as in VolumeReport
  Generation generation;               // as in VolumeReport
  std::uint64_t held_for = 0;          // as in VolumeReport
};

// A node as a whole is as well off as the worst of its volumes, and as far as the one that is hindmost.
struct NodeStatus {
  NodeName node;
  ReplicaRole role = ReplicaRole::kSecondary;
  ReplicaState state = ReplicaState::kUnknown;
  std::optional<Progress> received;
  std::optional<Progress> applied;
  std::optional<Progress> checkpoint;
  std::optional<Lag> lag;
  std::string problem;
  std::uint64_t differences = 0;  // of all volumes
  std::uint64_t unanswered = 0;   // of all volumes
  std::vector<ReplicaStatus> volumes;
  std::optional<Deadline> heard;  // when it reported last; nullopt: never
};

struct TrackerTimes {
  SteadyClock::duration silence;   // a node that has not reported for so long is disconnected
  SteadyClock::duration patience;  // for so long a node that was never heard of isn't given up
  Deadline began;                  // since when reports can have come
};

class Tracker {
 public:
  Tracker(const std::map<NodeName, NodeConfig>& nodes, TrackerTimes times, RetentionRules rules);

  // AgreementOf the relay's config: nodes with another one have a problem.
  void set_config(std::uint64_t config) { config_ = config; }

  bool IsMember(const NodeName& node) const { return members_.contains(node); }

  // At the start: since when the journal holds what, as far as it says.
  void Remember(const JournalFacts& facts, Timestamp wall, Deadline now);
  // Where the journal's head is. The times of lags are as fine as this is said often.
  void HeadIs(const Progress& head, Deadline now);

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

  std::optional<Lag> LagOf(const std::optional<Progress>& applied, const JournalFacts& facts,
                           Deadline now) const;
  Claim ClaimOf(const NodeName& node, const VolumeName& volume, const Member& member,
                const JournalFacts& facts) const;
  NodeStatus StatusOf(const NodeName& node, const Member& member, const JournalFacts& facts,
                      Deadline now) const;
  ReplicaStatus StatusOf(const NodeName& node, const VolumeName& volume, const Member& member,
                         const JournalFacts& facts, Deadline now) const;

  const TrackerTimes times_;
  Retention retention_;
  std::uint64_t config_ = 0;
  std::map<NodeName, Member> members_;
  HeadTimes heads_;
  bool head_known_ = false;
};

}  // namespace hawser
