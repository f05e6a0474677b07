// How a seed's world is: who is there, and how much trouble of which kind. Every seed has another mixture;
// some have none of a kind, so that rare combinations get room.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "tests/sim/rng.h"

namespace hawser::sim {

struct Profile {
  // Topology.
  std::vector<NodeName> nodes;
  std::map<VolumeName, NodeName> primaries;
  std::map<NodeName, std::set<VolumeName>> holds;  // as primary or secondary
  std::size_t callers = 3;                         // for each volume
  std::size_t folders = 2;                         // for each volume
  std::uint64_t segment_bytes = 16 * 1024;

  // Chances.
  double message_loss = 0;       // a message on the way
  double message_doubled = 0;    // a request that arrives once more, later
  double stream_loss = 0;        // a published frame
  double crash_at_point = 0;     // at each named place and disk operation
  double power_cut_share = 0.5;  // of the crashes: what was not flushed may be lost
  double flush_error = 0;        // of a journal
  double write_error = 0;
  double store_flush_error = 0;
  double store_error = 0;  // a record's effect is refused, or taken in part
  double refusal = 0;      // a record that a copy's store won't take, however often it is tried
  double give_up = 0;      // a caller stops waiting

  // Times.
  std::chrono::nanoseconds delay_min{0};
  std::chrono::nanoseconds delay_max{0};
  std::chrono::nanoseconds crash_every{0};  // on average; 0: never
  std::chrono::nanoseconds partition_every{0};
  std::chrono::nanoseconds disk_full_every{0};
  std::chrono::nanoseconds promote_every{0};
  std::chrono::nanoseconds think{0};  // of a caller between two calls, at most
  std::chrono::nanoseconds checkpoint_every{0};
  // What nobody may be taken for (DESIGN section 5b).
  std::chrono::nanoseconds twin_every{0};  // another machine takes a node over
  double go_back = 0;       // at a relay's end: it is started on an older copy of its journal, for a while
  double wrong_store = 0;   // at a node's end: it is started on an empty store, or an older copy of its own
  double lose_state = 0;    // at a node's end: its machine is replaced by an empty one
  double lose_journal = 0;  // at a node's end: the own journal is gone, all else is there
  double lose_segment = 0;  // at a relay's end: would it start without its journal's last segment
  std::chrono::nanoseconds rot_every{0};  // a byte of an old segment changes, and is mended
  std::uint64_t keep_bytes = 0;           // of the relay's journal, however far everybody is
};

Profile MakeProfile(Rng& rng);

}  // namespace hawser::sim
