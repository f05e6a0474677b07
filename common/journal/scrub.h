// Reads a journal over and over in the background, a little at a time, beside whoever appends: disks lose
// what was written long ago, and nobody else reads it before it is needed.
//
// What is found stands in a file beside the segments (kDamageName) until a later round finds it whole or
// dropped, so that a restart doesn't forget it. Damage is believed when it is seen twice.
//
// Knows no clock and no thread: whoever steps decides when (DESIGN section 5b).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/journal/fault.h"
#include "common/journal/segment_check.h"

namespace hawser {

// Not thread safe.
class JournalScrub {
 public:
  explicit JournalScrub(std::string folder) : folder_(std::move(folder)) {}

  // What was known when the journal was last open. A file that can't be read is no reason to wait for.
  void Recall();
  // What opening the journal found.
  void Note(const std::vector<JournalFault>& faults);

  // Reads on, about `bytes`; nothing behind the group `durable`. True: that ended a round.
  Result<bool> Step(std::uint64_t bytes, Group durable);

  // In order. As of the last rounds and this one.
  std::vector<JournalFault> faults() const;

  // That changed since it was asked last: faults to be told, each once; and whether any went.
  struct News {
    std::vector<JournalFault> found;
    std::vector<JournalFault> mended;
  };
  News TakeNews();

 private:
  // What stands behind a segment.
  struct Behind {
    bool is_last = true;
    std::optional<Progress> begin;  // nullopt: its header can't be read, which is said when its turn comes
  };

  Result<bool> Enter(Group durable);
  Result<std::optional<JournalFault>> FaultOfCurrent(const Behind& behind, Group durable);
  Status Leave(const std::optional<JournalFault>& fault);
  Result<Behind> BehindSegment(Group first) const;
  Status CheckBeginning(Group oldest);
  bool WasDropped(const JournalFault& fault) const;
  void Believe(const JournalFault& fault);
  Status EndRound();
  Status Save() const;

  const std::string folder_;
  std::map<std::string, JournalFault> known_;  // by segment
  std::map<std::string, JournalFault> seen_;   // in this round
  News news_;

  std::optional<SegmentCheck> current_;
  Group next_;           // the segment to look at next begins with it, or later
  bool second_ = false;  // current_ was read once and found damaged
};

}  // namespace hawser
