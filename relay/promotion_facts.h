// What a promotion rests on: who is primary by the journal, and how the nodes stand by their last reports.
// Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/net/messages.h"
#include "common/record/record.h"
#include "relay/retention.h"
#include "relay/tracker.h"

namespace hawser {

struct PromotionFacts {
  Deadline now;
  JournalFacts journal;
  std::map<VolumeName, Promote> made;  // how each volume's primary came to be that
  std::vector<NodeStatus> nodes;       // all members
  bool early = false;   // a node that was never heard of may only not have had the time to report
  std::string trouble;  // why the relay can make nobody primary; empty: it can

  // Null: there is none.
  const NodeStatus* Node(const NodeName& node) const;
  const ReplicaStatus* Replica(const NodeName& node, const VolumeName& volume) const;
  const VolumeFact* Volume(const VolumeName& volume) const;

  // Whether there was a report lately.
  bool IsConnected(const NodeName& node) const;
  // Whether that can't be said at the moment: a report is overdue, or there was no time for one yet.
  bool IsDoubtful(const NodeName& node) const;
  // Whether the volume's primary is there and takes changes, so that it can be asked to stop.
  bool PrimaryAnswers(const VolumeFact& volume) const;
  // Whether the node takes changes of the volume, as its primary in that generation, having all that came
  // before.
  bool Serves(const NodeName& node, const VolumeFact& volume) const;
  // Whether its primary is there and isn't that yet: it was just started, or just promoted.
  bool IsPrimaryComingUp(const VolumeFact& volume) const;
  // Whether the node has yet to notice that it is the volume's primary no more.
  bool IsGivingUp(const NodeName& node, const VolumeName& volume) const;
  // Records of the volume's order that the node's copy lacks up to `to`; all, if nothing is known of it.
  std::uint64_t Lacks(const NodeName& node, const VolumeName& volume, Sequence to) const;

  // Why the node's copy can't become primary, as a sentence with what to do; empty: it can.
  std::string WhyNot(const NodeName& node, const VolumeName& volume) const;
};

}  // namespace hawser
