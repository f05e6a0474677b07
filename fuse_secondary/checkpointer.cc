#include "fuse_secondary/checkpointer.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "volume/store/checkpoint.h"

namespace hawser {

Checkpointer::Checkpointer(std::vector<ReplicaVolume> volumes, OwnJournal& journal, ReplicaBoard& board,
                           ReplicaOptions options)
    : volumes_(std::move(volumes)), journal_(journal), board_(board), options_(std::move(options)) {
  thread_ = std::thread([this] { Run(); });
}

void Checkpointer::Stop() {
  board_.StopCheckpoints();
  if (thread_.joinable()) thread_.join();
}

void Checkpointer::Run() {
  while (board_.WaitForCheckpoint(options_.checkpoint_every, options_.checkpoint_bytes)) CheckpointAll();
}

void Checkpointer::CheckpointAll() {
  const auto stands = board_.volumes();
  for (std::size_t i = 0; i < stands.size(); ++i) {
    if (!stands[i].active() || stands[i].applied == stands[i].checkpoint) continue;
    if (const Status written = Checkpoint(i, stands[i], false); !written)
      log::error("no checkpoint of volume {}: {}", stands[i].name.value, written.error().Text());
  }
  DropOldSegments();
}

Status Checkpointer::Finish() {
  Status first;
  const auto stands = board_.volumes();
  for (std::size_t i = 0; i < stands.size(); ++i) {
    // A stalled volume may hold part of a group; a stopped one is left as it is.
    if (!stands[i].active()) continue;
    const bool whole = stands[i].condition == Condition::kFine;
    if (Status written = Checkpoint(i, stands[i], whole); !written && first) first = std::move(written);
  }
  DropOldSegments();
  return first;
}

Status Checkpointer::Checkpoint(std::size_t index, const VolumeStand& stand, bool clean) {
  if (Status flushed = volumes_[index].volume->store().Flush(); !flushed) {
    // What the disk has of it nobody knows, and asking again would only seem to succeed: the old checkpoint
    // stays, and the next start redoes from there.
    board_.SetVolume(
        index, Condition::kFailed,
        fmt::format("{}; replay of the volume has stopped. Mend the disk, then start this node again: it "
                    "goes on from {}",
                    flushed.error().Text(), stand.checkpoint.position.Text()));
    return flushed;
  }
  CrashPoint("secondary.store_synced");
  HAWSER_TRY(WriteCheckpoint(volumes_[index].checkpoint_path, {.progress = stand.applied, .clean = clean}));
  board_.Checkpointed(index, stand.applied);
  return {};
}

// A volume that has stopped for good doesn't keep segments: it is copied anew anyway.
void Checkpointer::DropOldSegments() {
  Group needed = board_.received().position.group;
  for (const VolumeStand& stand : board_.volumes()) {
    if (stand.active() || stand.condition == Condition::kFailed)
      needed = std::min(needed, stand.checkpoint.position.group);
  }
  if (const Status dropped = journal_.DropThrough(needed); !dropped)
    log::warn("old segments of the own journal can't be deleted: {}", dropped.error().Text());
}

}  // namespace hawser
