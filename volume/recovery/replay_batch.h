// Write groups, decoded to be applied.
#pragma once

#include <vector>

#include "common/journal/reader.h"
#include "common/record/record.h"

namespace hawser {

// A record of a volume that is recovered or replayed here.
struct ReplayRecord {
  std::size_t volume = 0;  // index among the volumes' names
  Record record;
  Bytes payload = {};  // in the batch's bytes
  Sequence sequence = {};
};

struct ReplayGroup {
  Progress end;  // the state after this group
  std::uint64_t bytes = 0;
  bool needs_checkpoint = false;  // see NeedsCheckpoint in volume/store/redo.h
  std::vector<ReplayRecord> records;
};

struct ReplayBatch {
  Buffer bytes;
  std::vector<ReplayGroup> groups;  // empty: there is nothing to replay yet
};

// The next groups up to `last` from the reader, at least one and as many as fit into max_bytes; of their
// records those of `volumes`. The digests are the reader's business: it has just checked them, coming from
// the disk.
Result<ReplayBatch> ReadBatch(JournalReader& reader, Group last, std::uint64_t max_bytes,
                              const std::vector<VolumeName>& volumes);

// The groups after `after` up to `last` from whole frames that came over the network; of their records those
// of `volumes`. Digests and chain are checked here: EBADMSG.
Result<ReplayBatch> ReceiveBatch(Bytes frames, const Progress& after, Group last,
                                 const std::vector<VolumeName>& volumes);

}  // namespace hawser
