#include "fuse_secondary/checkpointer.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/log.h"

namespace hawser {

Status KeepDifferences(CheckpointPlace& place, const Progress& last, const VolumeStand& stand) {
  return place.WriteDifferences(last.position.sequence, stand.applied.position.sequence,
                                stand.differences.Encode());
}

Checkpointer::Checkpointer(const std::vector<ReplicaVolume>& volumes, OwnJournal& journal,
                           ReplicaBoard& board, ReplicaOptions options)
    : journal_(journal), board_(board), options_(std::move(options)) {
  const auto stands = board_.volumes();
  for (std::size_t i = 0; i < volumes.size(); ++i)
    volumes_.push_back(std::make_unique<Kept>(volumes[i], stands[i]));
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
    if (!stands[i].active() || !volumes_[i]->keeper.due(stands[i].applied)) continue;
    if (const Status written = Checkpoint(i, stands[i], Beyond::kReplayed); !written)
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
    const Beyond beyond = stands[i].condition == Condition::kFine ? Beyond::kNothing : Beyond::kReplayed;
    if (Status written = Checkpoint(i, stands[i], beyond); !written && first) first = std::move(written);
  }
  DropOldSegments();
  return first;
}

Status Checkpointer::Checkpoint(std::size_t index, const VolumeStand& stand, Beyond beyond) {
  CheckpointKeeper& keeper = volumes_[index]->keeper;
  HAWSER_TRY(KeepDifferences(index, stand));
  const Status kept =
      FlushAndKeep(keeper, volumes_[index]->volume->store(), stand.applied, beyond, "secondary.store_synced");
  if (kept) board_.Checkpointed(index, stand.applied);
  if (const auto trouble = keeper.trouble()) board_.NoCheckpoint(index, *trouble);
  if (const auto failed = keeper.failure()) {
    board_.SetVolume(
        index, Condition::kFailed,
        fmt::format("{}; replay of the volume has stopped. Mend the disk, then start this node again: it "
                    "goes on from {}",
                    failed->Text(), keeper.last().position.Text()));
  }
  return kept;
}

Status Checkpointer::KeepDifferences(std::size_t index, const VolumeStand& stand) {
  Kept& volume = *volumes_[index];
  if (stand.differences.empty() && !volume.differs) return {};
  const Status written = hawser::KeepDifferences(volume.place, volume.keeper.last(), stand);
  if (!written) {
    board_.NoCheckpoint(index, "it can't be written where the copy differs: " + written.error().Text());
    return written;
  }
  volume.differs = !stand.differences.empty();
  return {};
}

void Checkpointer::DropOldSegments() {
  if (const Status dropped = journal_.DropThrough(board_.unneeded()); !dropped)
    log::warn("old segments of the own journal can't be deleted: {}", dropped.error().Text());
}

}  // namespace hawser
