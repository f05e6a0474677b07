// What disks do to the relay's journal: a byte of an old segment changes, the last segment is lost. The first
// must be found while the relay runs, the second when it starts.
#pragma once

#include <optional>
#include <string>

#include "common/journal/fault.h"
#include "tests/sim/world.h"

namespace hawser::sim {

// One at a time; the journal is as it was when it is mended or gone.
class Decay {
 public:
  Decay(World& world, std::string folder) : world_(world), folder_(std::move(folder)) {}

  // Changes a byte in a frame of a segment that isn't the last; false: there is none.
  bool Rot();
  // The byte is as it was.
  void Mend();
  bool rotten() const { return rotten_.has_value(); }
  // Whether `damage` is exactly what must be known by now.
  void ExpectFound(const std::vector<JournalFault>& damage) const;
  void ExpectSound(const std::vector<JournalFault>& damage) const;

  // Whether a relay would start without its last segment although it had saved that there was more: it is
  // tried on a copy.
  void LoseLastSegment(const std::string& copy) const;

 private:
  struct Place {
    std::string segment;
    std::uint64_t offset = 0;
  };
  std::string PathOf(const std::string& segment) const { return folder_ + "/" + segment; }
  void Flip(const Place& place) const;
  bool IsThere() const;

  World& world_;
  const std::string folder_;
  std::optional<Place> rotten_;
};

}  // namespace hawser::sim
