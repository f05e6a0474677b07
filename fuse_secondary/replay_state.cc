#include "fuse_secondary/replay_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/log.h"
#include "common/record/kinds.h"
#include "volume/recovery/divergence_note.h"
#include "volume/recovery/record_paths.h"
#include "volume/store/store.h"

namespace hawser {

ReplayState::ReplayState(const Progress& begin, std::vector<ReplayedVolume> volumes, ReplicaBoard& board)
    : volumes_(std::move(volumes)), board_(board), at_(begin) {
  for (const VolumeStand& stand : board_.volumes()) {
    names_.push_back(stand.name);
    applied_.push_back(stand.applied.position);
    active_.push_back(stand.active());
    differences_.push_back(stand.differences);
  }
}

void ReplayState::LookAtBoard() {
  for (std::size_t i = 0; i < active_.size(); ++i) active_[i] = active_[i] && board_.volume(i).active();
}

GroupInProgress& ReplayState::Enter(const ReplayGroup& group) {
  if (in_progress_) return *in_progress_;
  in_progress_.emplace(group);
  for (std::size_t i = 0; i < group.records.size(); ++i) {
    const ReplayRecord& record = group.records[i];
    const bool is_ours = active_[record.volume] && group.end.position.group > applied_[record.volume].group;
    in_progress_->done[i] = in_progress_->left[i] = !is_ours;
    if (!is_ours || !differences_[record.volume].Concern(record.record)) continue;
    const StorePath* name = NameTakenBy(record.record.body);
    in_progress_->other_names[i] = name != nullptr && volumes_[record.volume].store->HasOtherNames(*name);
  }
  return *in_progress_;
}

void ReplayState::Applied() {
  for (std::size_t i = 0; i < in_progress_->left.size(); ++i) {
    const ReplayRecord& record = in_progress_->group->records[i];
    if (in_progress_->left[i]) continue;
    differences_[record.volume].Took(record.record, record.sequence, in_progress_->other_names[i] != 0);
  }
  in_progress_.reset();
}

std::vector<GroupFailure> ReplayState::Settle(const std::vector<GroupFailure>& failures,
                                              const FindRemedy& find_remedy) {
  const ReplayGroup& group = *in_progress_->group;
  std::vector<GroupFailure> waiting;
  for (const GroupFailure& failure : failures) {
    switch (Weigh(failure, find_remedy)) {
      case Consequence::kDiverged:
        Diverge(group.end.position, failure);
        break;
      case Consequence::kGoOn:
        GoOnWithout(failure);
        break;
      case Consequence::kTryAgain:
        break;
      case Consequence::kWait:
        waiting.push_back(failure);
        break;
    }
  }
  // Records of volumes that were stopped need no doing.
  for (std::size_t i = 0; i < group.records.size(); ++i) {
    if (!active_[group.records[i].volume]) in_progress_->done[i] = in_progress_->left[i] = 1;
  }
  std::erase_if(waiting, [this](const GroupFailure& failure) { return !active(failure.volume); });
  return waiting;
}

void ReplayState::Wait(const std::vector<GroupFailure>& failures) {
  if (failures.empty()) return;
  const GroupFailure& first = failures.front();
  const std::string problem = fmt::format(
      "replay waits at group {} for volume {}, whose store '{}' does not take a record: {}; make room or "
      "mend it, replay then goes on by itself",
      in_progress_->group->end.position.group.value, names_[first.volume].value, volumes_[first.volume].path,
      first.error.Text());
  if (!stalled_) log::error("{}", problem);
  Stalled(problem);
}

Consequence ReplayState::Weigh(const GroupFailure& failure, const FindRemedy& find_remedy) {
  const ReplayRecord& record = in_progress_->group->records[failure.record];
  const bool is_refusal = failure.error.code != kStoreDiverged && failure.error.code != ENOENT;
  return differences_[failure.volume].Weigh(
      {.record = record.record,
       .sequence = record.sequence,
       .payload = record.payload,
       .error = failure.error,
       .has_room = is_refusal && volumes_[failure.volume].store->HasRoom(record.payload.size()),
       .tried_before = in_progress_->tried[failure.record] > 1,
       .remedied = is_refusal && find_remedy(record.sequence),
       .redone = false});
}

void ReplayState::GoOnWithout(const GroupFailure& failure) {
  const ReplayRecord& record = in_progress_->group->records[failure.record];
  in_progress_->done[failure.record] = in_progress_->left[failure.record] = 1;
  volumes_[failure.volume].store->ApplyFolderTimes(record.record);
  log::warn("volume {}: going on without a record that its store does not take ({}): {}",
            names_[failure.volume].value, Describe(record.record), failure.error.Text());
}

void ReplayState::Stalled(const std::string& problem) {
  stalled_ = true;
  for (std::size_t i = 0; i < active_.size(); ++i) {
    if (active_[i]) board_.SetVolume(i, Condition::kStalled, problem);
  }
}

void ReplayState::Passed(std::span<const ReplayGroup> groups) {
  if (groups.empty()) return;
  if (stalled_) {
    stalled_ = false;
    log::info("replay goes on");
    for (std::size_t i = 0; i < active_.size(); ++i) board_.SetVolume(i, Condition::kFine, "");
  }
  for (const ReplayGroup& group : groups) CheckPassed(group.end.position);
  at_ = groups.back().end;
  std::vector<std::size_t> moved;
  for (std::size_t i = 0; i < active_.size(); ++i) {
    if (!active_[i] || at_.position.group <= applied_[i].group) continue;
    applied_[i] = at_.position;
    moved.push_back(i);
  }
  std::vector<std::pair<std::size_t, Differences>> changed;
  for (std::size_t i = 0; i < differences_.size(); ++i) {
    if (differences_[i].TakeChanged()) changed.emplace_back(i, differences_[i]);
  }
  board_.Applied(moved, at_, changed);
}

// A volume that was ahead of the own journal has been at this group already: then it must have been the same
// group.
void ReplayState::CheckPassed(const Position& group) {
  for (std::size_t i = 0; i < active_.size(); ++i) {
    if (!active_[i] || applied_[i].group != group.group || applied_[i] == group) continue;
    const std::string problem = OtherHistoryText(applied_[i], group);
    log::error("volume {}: {}", names_[i].value, problem);
    Stop(i, problem);
  }
}

void ReplayState::Diverge(const Position& group, const GroupFailure& failure) {
  if (!active_[failure.volume]) return;
  const std::string problem = DivergenceText(failure.error, group);
  log::error("volume {} has diverged: {}", names_[failure.volume].value, problem);
  Stop(failure.volume, problem);
  if (const Status noted = volumes_[failure.volume].place->NoteDivergence(problem); !noted)
    log::error("the divergence could not be noted: {}", noted.error().Text());
}

void ReplayState::Stop(std::size_t volume, const std::string& problem) {
  active_[volume] = 0;
  board_.SetVolume(volume, Condition::kDiverged, problem);
}

}  // namespace hawser
