#include "fuse_secondary/replay_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/log.h"
#include "volume/recovery/divergence_note.h"
#include "volume/store/store.h"

namespace hawser {

ReplayState::ReplayState(const Progress& begin, std::vector<ReplayedVolume> volumes, ReplicaBoard& board)
    : volumes_(std::move(volumes)), board_(board), at_(begin) {
  for (const VolumeStand& stand : board_.volumes()) {
    names_.push_back(stand.name);
    applied_.push_back(stand.applied.position);
    active_.push_back(stand.active());
  }
}

void ReplayState::LookAtBoard() {
  for (std::size_t i = 0; i < active_.size(); ++i) active_[i] = active_[i] && board_.volume(i).active();
}

GroupInProgress& ReplayState::Enter(const ReplayGroup& group) {
  if (in_progress_) return *in_progress_;
  in_progress_.emplace(group);
  for (std::size_t i = 0; i < group.records.size(); ++i) {
    const std::size_t volume = group.records[i].volume;
    in_progress_->done[i] = !active_[volume] || group.end.position.group <= applied_[volume].group;
  }
  return *in_progress_;
}

void ReplayState::Failed(const std::vector<GroupFailure>& failures) {
  const ReplayGroup& group = *in_progress_->group;
  for (const GroupFailure& failure : failures) {
    if (failure.error.code == kStoreDiverged) Diverge(group.end.position, failure);
  }
  // Records of volumes that were stopped need no doing.
  for (std::size_t i = 0; i < group.records.size(); ++i) {
    if (!active_[group.records[i].volume]) in_progress_->done[i] = 1;
  }
  const auto passing = std::find_if(failures.begin(), failures.end(),
                                    [this](const GroupFailure& failure) { return active(failure.volume); });
  if (passing == failures.end()) return;
  const std::string problem = fmt::format(
      "replay waits at group {} for volume {}, whose store '{}' does not take a record: {}; make room or "
      "mend it, replay then goes on by itself",
      group.end.position.group.value, names_[passing->volume].value, volumes_[passing->volume].store,
      passing->error.Text());
  if (!stalled_) log::error("{}", problem);
  Stalled(problem);
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
  board_.Applied(moved, at_);
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
