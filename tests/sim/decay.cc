#include "tests/sim/decay.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/base/state_folder.h"
#include "common/journal/file_journal.h"
#include "common/journal/segment.h"
#include "common/journal/segment_reader.h"
#include "relay/recovery.h"
#include "relay/saved_state.h"
#include "tests/sim/checker.h"

namespace hawser::sim {

namespace {

struct Run {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

// What counts in a segment: what its header's digest covers and the digest, and each frame with its stamp.
std::vector<Run> RunsOf(const std::string& folder, Group first) {
  std::vector<Run> runs{{0, kSegmentDigestOffset + sizeof(Digest::bytes)}};
  auto reader = SegmentReader::Open(folder, first);
  while (reader) {
    const std::uint64_t offset = reader->offset();
    const auto frame = reader->Skip();
    if (!frame || !*frame) break;
    runs.push_back({offset, kStampBytes + (*frame)->frame_bytes()});
  }
  return runs;
}

}  // namespace

bool Decay::Rot() {
  const auto groups = ListSegments(folder_);
  if (!groups || groups->size() < 2) return false;
  const Group group = (*groups)[world_.rng().Below(groups->size() - 1)];
  const std::vector<Run> runs = RunsOf(folder_, group);
  const Run& run = runs[world_.rng().Below(runs.size())];
  rotten_ = Place{SegmentName(group), run.offset + world_.rng().Below(run.bytes)};
  Flip(*rotten_);
  ++world_.counts().faults;
  world_.Note("a byte of the relay's {} at {} changes", rotten_->segment, rotten_->offset);
  return true;
}

void Decay::Flip(const Place& place) const {
  std::fstream file(PathOf(place.segment), std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(place.offset));
  const auto byte = static_cast<char>(file.get());
  file.seekp(static_cast<std::streamoff>(place.offset));
  file.put(static_cast<char>(byte ^ 1));
}

bool Decay::IsThere() const { return rotten_ && std::filesystem::exists(PathOf(rotten_->segment)); }

void Decay::Mend() {
  if (IsThere()) Flip(*rotten_);
  rotten_.reset();
}

void Decay::ExpectFound(const std::vector<JournalFault>& damage) const {
  if (!IsThere()) return;
  const bool found = std::ranges::any_of(
      damage, [this](const JournalFault& fault) { return fault.segment == rotten_->segment; });
  if (!found) world_.Fail(kI1, "damage of the relay's journal isn't found: in " + rotten_->segment);
}

void Decay::ExpectSound(const std::vector<JournalFault>& damage) const {
  if (!damage.empty()) world_.Fail(kI1, "a sound journal is called damaged: " + TextOf(damage.front()));
}

void Decay::LoseLastSegment(const std::string& copy) const {
  const auto groups = ListSegments(folder_);
  const auto saved = LoadState(folder_);
  if (!groups || groups->size() < 2 || !saved) return;
  // Saved before the segment began: then what nodes know tells (relay/evidence.h).
  if (saved->sequencer.head.position.group < groups->back()) return;
  std::filesystem::remove_all(copy);
  std::filesystem::copy(folder_, copy, std::filesystem::copy_options::recursive);
  std::filesystem::remove(copy + "/" + SegmentName(groups->back()));
  if (world_.mutations().Has(Fault::kIgnoreSavedState)) std::filesystem::remove(SavedStatePath(copy));
  RecoveryReport report;
  const auto journal =
      FileJournal::Open({copy, world_.profile().segment_bytes}, Progress{}, report, std::make_shared<Disk>());
  if (journal && Recover(**journal, copy, {}))
    world_.Fail(kI1, "a relay starts on a journal whose last segment is lost");
  std::filesystem::remove_all(copy);
}

}  // namespace hawser::sim
