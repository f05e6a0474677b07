#include "volume/recovery/replay_batch.h"

#include <algorithm>

#include "common/record/codec.h"
#include "volume/store/redo.h"

namespace hawser {

namespace {

Result<ReplayGroup> DecodeGroup(const Frame& frame, const std::vector<VolumeName>& volumes) {
  ReplayGroup group;
  group.end = frame.header.progress();
  group.bytes = frame.header.frame_bytes();
  std::uint64_t sequence = frame.header.first_sequence.value;
  for (const Entry& entry : frame.entries) {
    auto record = DecodeRecord(entry.header, entry.payload);
    if (!record) {
      return Error{EBADMSG, "record " + std::to_string(sequence) +
                                " of the journal can't be understood: " + record.error().message};
    }
    const auto volume = std::find(volumes.begin(), volumes.end(), record->volume);
    if (volume != volumes.end()) {
      group.needs_checkpoint = group.needs_checkpoint || NeedsCheckpoint(record->body);
      group.records.push_back({static_cast<std::size_t>(volume - volumes.begin()), *std::move(record),
                               entry.payload, Sequence(sequence)});
    }
    ++sequence;
  }
  return group;
}

}  // namespace

Result<ReplayBatch> ReadBatch(JournalReader& reader, Group last, std::uint64_t max_bytes,
                              const std::vector<VolumeName>& volumes) {
  ReplayBatch batch;
  HAWSER_ASSIGN(batch.bytes, reader.NextBytes(last, max_bytes));
  for (Bytes rest(batch.bytes); !rest.empty();) {
    HAWSER_ASSIGN(const Frame frame, SplitFrame(rest));
    HAWSER_ASSIGN(ReplayGroup group, DecodeGroup(frame, volumes));
    batch.groups.push_back(std::move(group));
    rest = rest.subspan(frame.header.frame_bytes());
  }
  return batch;
}

Result<ReplayBatch> ReceiveBatch(Bytes frames, const Progress& after, Group last,
                                 const std::vector<VolumeName>& volumes) {
  ReplayBatch batch;
  batch.bytes.assign(frames.begin(), frames.end());
  Progress at = after;
  for (Bytes rest(batch.bytes); !rest.empty() && at.position.group < last;) {
    HAWSER_ASSIGN(const Frame frame, ParseFrame(rest));
    HAWSER_TRY(CheckFollows(at, frame.header));
    HAWSER_ASSIGN(ReplayGroup group, DecodeGroup(frame, volumes));
    batch.groups.push_back(std::move(group));
    at = frame.header.progress();
    rest = rest.subspan(frame.header.frame_bytes());
  }
  return batch;
}

}  // namespace hawser
