// What a relay knows of its journal apart from the records themselves: the head, who is primary of which
// volume, and each node's session with the answers that its newest records got. All of it follows from the
// journal's records: Enter() is the only way in. What was said in records that are gone is said again in
// facts (Facts()), which the writer journals before it lets old segments go. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "common/net/messages.h"
#include "common/record/record.h"

namespace hawser {

struct VolumeState {
  Generation generation;
  Promote made;  // how its primary came to be that
};

struct SessionState {
  std::uint64_t session = 0;  // the newest
  // Who began it: Hello::incarnation and Hello::start. 0: not known.
  std::uint64_t incarnation = 0;
  std::uint64_t start = 0;
  // By number: the newest kMaxBatchRecords of the session's records that are in the journal. `repeated` is
  // false.
  std::map<std::uint64_t, Ack> answered;
};

struct SequencerState {
  Progress head;
  std::map<VolumeName, VolumeState> volumes;
  std::map<NodeName, SessionState> nodes;

  // The journal holds `record`, at `ack`. In the journal's order. A fact that is known already changes
  // nothing.
  void Enter(const Record& record, const Ack& ack);

  // The newest session of any node; 0: none yet.
  std::uint64_t NewestSession() const;

  // The records that say all of the state but the head. They are the relay's own, and always in the same
  // order.
  std::vector<Record> Facts() const;
};

// The origin of the relay's own records about volumes.
Origin OriginOfTheRelay();

}  // namespace hawser
