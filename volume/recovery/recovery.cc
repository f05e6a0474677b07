#include "volume/recovery/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "common/record/kinds.h"
#include "volume/recovery/divergence_note.h"
#include "volume/recovery/may_pass.h"
#include "volume/recovery/record_paths.h"

namespace hawser {

namespace {

bool Exists(const RecoveryJournal& journal) { return journal.end.position.journal != JournalId{}; }

}  // namespace

Recovery::Recovery(std::vector<RecoveryVolume> volumes, RecoverFor purpose, std::string_view crash_point)
    : volumes_(std::move(volumes)), purpose_(purpose), crash_point_(crash_point) {}

// ---- from where to where

Status Recovery::ReadStands() {
  for (const RecoveryVolume& volume : volumes_) {
    VolumeStand stand;
    stand.name = volume.name;
    HAWSER_ASSIGN(const auto checkpoint, volume.checkpoint->Read());
    if (checkpoint) stand.applied = stand.checkpoint = checkpoint->progress;
    HAWSER_ASSIGN(const StoreMarks marks, volume.store->Marks());
    // A clean end is of the store as the checkpoint left it, not of one that another was made of since.
    const bool nothing_beyond = checkpoint && checkpoint->clean && marks.newest == checkpoint->mark;
    // Without a checkpoint only a new store is known to hold nothing.
    redo_.push_back(checkpoint ? !nothing_beyond : !volume.store->is_new());
    stand.whole = !redo_.back();
    differed_.push_back(0);
    checkpoints_.push_back(checkpoint);
    held_.push_back(checkpoint ? checkpoint->progress.position : marks.at);
    if (checkpoint && purpose_ == RecoverFor::kFollowing) {
      HAWSER_ASSIGN(const Buffer differences,
                    volume.checkpoint->ReadDifferences(checkpoint->progress.position.sequence));
      if (!differences.empty()) {
        HAWSER_ASSIGN(stand.differences, Differences::Decode(differences));
      }
    }
    HAWSER_ASSIGN(const auto divergence, volume.checkpoint->ReadDivergence());
    if (divergence) {
      stand.condition = Condition::kDiverged;
      stand.problem = *divergence;
    }
    names_.push_back(volume.name);
    stands_.push_back(std::move(stand));
  }
  return {};
}

bool Recovery::IsProvenBy(const RecoveryJournal& journal) const {
  for (std::size_t i = 0; i < stands_.size(); ++i) {
    if (!IsProvenBy(journal, i)) return false;
  }
  return true;
}

bool Recovery::IsProvenBy(const RecoveryJournal& journal, std::size_t volume) const {
  if (!stands_[volume].active() || !redo_[volume]) return true;
  const Position& held = held_[volume];
  const Position& end = journal.end.position;
  if (checkpoints_[volume] && checkpoints_[volume]->beyond_own && !journal.is_relays) return false;
  return Exists(journal) && held.group <= end.group && (held.group == Group{} || held.journal == end.journal);
}

std::size_t Recovery::StandingBefore(const Progress& oldest) const {
  return static_cast<std::size_t>(std::ranges::count_if(stands_, [&](const VolumeStand& stand) {
    return stand.active() && stand.applied.position.group < oldest.position.group;
  }));
}

Status Recovery::Begin(RecoveryJournal journal) {
  journal_ = std::move(journal);
  for (std::size_t i = 0; i < stands_.size(); ++i) CheckStand(i);
  return Plan();
}

// What can be told without reading the journal.
void Recovery::CheckStand(std::size_t volume) {
  const Position& at = stands_[volume].applied.position;
  const Position& oldest = journal_.oldest.position;
  const Position& end = journal_.end.position;
  const Position& held = held_[volume];
  if (!stands_[volume].active()) return;
  const bool exists = Exists(journal_);
  if (exists && held.group != Group{} && held.journal != end.journal) {
    return Stop(volume, Condition::kNeedsSync,
                fmt::format("the store follows journal {}, but {} is journal {}: put back the one that the "
                            "store comes from, or the volume needs a sync",
                            held.journal.Hex(), journal_.name, end.journal.Hex()));
  }
  if (exists && at.group < oldest.group) {
    return Stop(volume, Condition::kNeedsSync,
                fmt::format("{} begins only at {}; the volume stands at {} and needs a sync", journal_.name,
                            oldest.Text(), at.Text()));
  }
  if (purpose_ == RecoverFor::kFollowing && !IsProvenBy(journal_, volume)) {
    return Stop(
        volume, Condition::kNeedsSync,
        fmt::format("the store was left in the middle of its work behind {}, and {} doesn't have what "
                    "it may hold of that: the volume needs a sync",
                    at.Text(), journal_.name));
  }
  if (!exists) return;
  if (held.group > end.group && purpose_ == RecoverFor::kServing) {
    return Stop(volume, Condition::kDiverged,
                fmt::format("the store stands at {}, but {} ends at {}: it has lost records that were "
                            "acknowledged; restore its folder",
                            held.Text(), journal_.name, end.Text()));
  }
  CheckPassed(end);
}

std::optional<Progress> Recovery::hindmost() const {
  std::optional<Progress> last;
  for (const VolumeStand& stand : stands_) {
    if (!stand.active()) continue;
    if (!last || stand.applied.position.group < last->position.group) last = stand.applied;
  }
  return last;
}

Progress Recovery::next() const {
  const auto last = hindmost();
  if (!last || last->position.group > journal_.end.position.group) return journal_.end;
  return *last;
}

bool Recovery::redoes() const {
  for (std::size_t i = 0; i < stands_.size(); ++i) {
    if (stands_[i].active() && redo_[i]) return true;
  }
  return false;
}

// The journal's end if a store may hold something of what comes after its checkpoint, else where the foremost
// volume stands.
Position Recovery::Target() const {
  const Position& end = journal_.end.position;
  if (purpose_ == RecoverFor::kServing) return end;
  Position target;
  for (std::size_t i = 0; i < stands_.size(); ++i) {
    if (!stands_[i].active()) continue;
    const Position& applied = stands_[i].applied.position;
    const Position& wanted = redo_[i] || applied.group > end.group ? end : applied;
    if (wanted.group > target.group) target = wanted;
  }
  return target;
}

Status Recovery::Plan() {
  if (!any_active()) return {};
  begin_ = next();
  // From nothing: before the first group of this journal.
  if (begin_.position.group == Group{}) begin_.position.journal = journal_.end.position.journal;
  at_ = begin_;
  target_ = Target();
  if (at_.position.group < target_.group) {
    log::info("bringing the stores from {} to group {}{}", at_.position.Text(), target_.group.value,
              redoes() ? ", redoing after an unclean end" : "");
    if (!redoes()) return StartApplying();
    pass_ = Pass::kLookingAhead;
    return {};
  }
  const bool is_within = at_.position.group > Group{} && at_.position.group < journal_.end.position.group;
  pass_ = Pass::kProbing;
  return is_within ? Status() : FinishPass();
}

// ---- the records

std::optional<Recovery::Want> Recovery::wanted() const {
  if (pass_ == Pass::kDone || !any_active()) return std::nullopt;
  return Want{at_, std::max(target_.group, at_.position.group)};
}

Status Recovery::Take(std::span<const ReplayGroup> groups) {
  if (groups.empty() && pass_ != Pass::kProbing) {
    return Error{EPROTO, fmt::format("{} gives nothing after {}, although it was at {}", journal_.name,
                                     at_.position.Text(), journal_.end.position.Text())};
  }
  // The journal holds this position, and so no other of the same group.
  if (!taken_) CheckPassed(begin_.position);
  taken_ = true;
  for (const ReplayGroup& group : groups) HAWSER_TRY(TakeGroup(group));
  return at_.position.group < target_.group ? Status() : FinishPass();
}

Status Recovery::Refused(const Error& error) {
  if (taken_ || (error.code != ENODATA && error.code != ESTALE)) return error;
  const Condition condition = error.code == ESTALE ? Condition::kDiverged : Condition::kNeedsSync;
  for (std::size_t i = 0; i < stands_.size(); ++i) {
    const Position& at = stands_[i].applied.position;
    const bool is_there = at == begin_.position || (at.group == Group{} && begin_.position.group == Group{});
    if (stands_[i].active() && is_there) Stop(i, condition, error.message);
  }
  return Plan();
}

Status Recovery::TakeGroup(const ReplayGroup& group) {
  for (const ReplayRecord& record : group.records) {
    if (Lacks(record.volume, group)) HAWSER_TRY(TakeRecord(group, record));
  }
  CheckPassed(group.end.position);
  for (std::size_t i = 0; i < stands_.size(); ++i) {
    if (pass_ == Pass::kApplying && Lacks(i, group)) stands_[i].applied = group.end;
  }
  at_ = group.end;
  return {};
}

Status Recovery::TakeRecord(const ReplayGroup& group, const ReplayRecord& record) {
  if (record.record.remedy && record.record.remedy->last) remedied_.insert(record.record.remedy->refused);
  if (pass_ == Pass::kLookingAhead) {
    if (redo_[record.volume]) volumes_[record.volume].store->Expect(record.record);
    return {};
  }
  CrashPoint(crash_point_);
  if (!IsControl(record.record.body)) ++records_;
  if (const Difference* refused = HadTaken(record)) {
    Stop(record.volume, Condition::kFailed,
         fmt::format("the store refuses a record that it had taken before ({}): {}; mend the store, then "
                     "start this node again",
                     Describe(refused->record), refused->why));
    return {};
  }
  return Change(group, record);
}

// A primary's store has refused a record now that later ones build on: nobody made up for it then, so it had
// been taken.
const Difference* Recovery::HadTaken(const ReplayRecord& record) const {
  if (purpose_ != RecoverFor::kServing || record.record.remedy) return nullptr;
  return stands_[record.volume].differences.Find(record.record);
}

Status Recovery::Change(const ReplayGroup& group, const ReplayRecord& record) {
  RecoverableStore& store = *volumes_[record.volume].store;
  Differences& differences = stands_[record.volume].differences;
  const StorePath* name = NameTakenBy(record.record.body);
  const bool other_names =
      name != nullptr && differences.Concern(record.record) &&
      (redo_[record.volume] || store.HasOtherNames(*name));  // a redo finds files elsewhere, too
  if (purpose_ == RecoverFor::kFollowing && !differences.empty()) differed_[record.volume] = 1;
  const bool differs = differed_[record.volume] && differences.Concern(record.record);
  Status done = Try(record, differs);
  for (int again = 0; !done; ++again) {
    // A remedy says what a primary's store holds already; one that won't be touched still holds it.
    const bool is_own = purpose_ == RecoverFor::kServing && record.record.remedy;
    if (is_own && done.error().code != kStoreDiverged && !MayPass(done.error().code, true)) return {};
    const Consequence consequence = Weigh(record, done.error(), again > 0);
    if (consequence == Consequence::kWait) waits_for_ = record.volume;
    if (consequence == Consequence::kDiverged || consequence == Consequence::kWait)
      return Settle(record.volume, group.end.position, std::move(done));
    if (consequence == Consequence::kGoOn) {
      differed_[record.volume] = purpose_ == RecoverFor::kFollowing;
      log::warn("volume {}: going on without a record that its store does not take ({}): {}",
                names_[record.volume].value, Describe(record.record), done.error().Text());
      store.ApplyFolderTimes(record.record);
      return {};
    }
    done = redo_[record.volume] ? store.RedoAgain(record.record, record.payload, differs)
                                : store.ApplyAnyhow(record.record, record.payload, differs);
  }
  differences.Took(record.record, record.sequence, other_names);
  return {};
}

Status Recovery::Try(const ReplayRecord& record, bool differs) {
  RecoverableStore& store = *volumes_[record.volume].store;
  if (redo_[record.volume]) return store.Redo(record.record, record.payload, differs);
  HAWSER_ASSIGN(const Manner manner, stands_[record.volume].differences.MannerOf(record.record));
  return store.ApplyAs({manner.anyhow, differs}, record.record, record.payload);
}

Consequence Recovery::Weigh(const ReplayRecord& record, const Error& error, bool again) {
  return stands_[record.volume].differences.Weigh(
      {.record = record.record,
       .sequence = record.sequence,
       .payload = record.payload,
       .error = error,
       .has_room = volumes_[record.volume].store->HasRoom(record.payload.size()),
       .tried_before = again,
       .remedied = remedied_.contains(record.sequence),
       .redone = purpose_ == RecoverFor::kFollowing && redo_[record.volume]});
}

// What a copy's store has refused may be taken by now.
void Recovery::RepeatRefused() {
  for (std::size_t i = 0; i < stands_.size(); ++i) {
    if (!stands_[i].active()) continue;
    Differences& differences = stands_[i].differences;
    std::optional<Sequence> last;  // a record can stand for two paths
    for (const Difference& entry : std::vector<Difference>(differences.entries())) {
      if (std::exchange(last, entry.sequence) == entry.sequence) continue;
      if (!differences.MayRepeat(entry) || !volumes_[i].store->Repeat(entry.record, entry.payload)) continue;
      differences.Repeated(entry);
      log::info("volume {}: '{}' no longer differs", names_[i].value, entry.path.Printable());
    }
  }
}

// What differed by its id only, and is nowhere any more.
void Recovery::ForgetWhatIsGone() {
  for (std::size_t i = 0; i < stands_.size(); ++i) {
    const std::set<FileId> nameless = stands_[i].differences.Nameless();
    if (!stands_[i].active() || nameless.empty()) continue;
    const auto found = volumes_[i].store->Present(nameless);
    if (found)
      stands_[i].differences.Found(*found);
    else
      log::warn("volume {}: {}", names_[i].value, found.error().Text());
  }
}

bool Recovery::Lacks(std::size_t volume, const ReplayGroup& group) const {
  const VolumeStand& stand = stands_[volume];
  return stand.active() && group.end.position.group > stand.applied.position.group;
}

// ---- between the passes

Status Recovery::StartApplying() {
  pass_ = Pass::kApplying;
  at_ = begin_;
  return MarkUnclean();
}

Status Recovery::FinishPass() {
  if (pass_ == Pass::kLookingAhead) return StartApplying();
  if (pass_ == Pass::kApplying) HAWSER_TRY(FinishRedo());
  pass_ = Pass::kDone;
  HAWSER_TRY(MarkUnclean());
  for (VolumeStand& stand : stands_) stand.whole = stand.whole || stand.active();
  if (purpose_ == RecoverFor::kServing) return {};
  RepeatRefused();
  ForgetWhatIsGone();
  for (std::size_t i = 0; i < stands_.size(); ++i) {
    if (stands_[i].active() && !redo_[i] && stands_[i].differences.empty())
      HAWSER_TRY(volumes_[i].store->RemoveLeft());
  }
  return {};
}

Status Recovery::FinishRedo() {
  for (std::size_t i = 0; i < stands_.size(); ++i) {
    if (!stands_[i].active() || !redo_[i]) continue;
    Status finished = volumes_[i].store->FinishRedo(differed_[i] != 0);
    const int code = finished ? 0 : finished.error().code;
    // What a copy's store doesn't let go is left there.
    if (code != 0 && code != kStoreDiverged && !MayPass(code, true) && purpose_ == RecoverFor::kFollowing)
      finished = volumes_[i].store->FinishRedo(true);
    if (!finished && MayPass(finished.error().code, false)) waits_for_ = i;
    HAWSER_TRY(Settle(i, at_.position, std::move(finished)));
  }
  return {};
}

// From here on the stores may be ahead of their checkpoints.
Status Recovery::MarkUnclean() {
  for (std::size_t i = 0; i < stands_.size(); ++i) {
    if (!stands_[i].active() || !checkpoints_[i]) continue;
    Checkpoint unclean = *checkpoints_[i];
    const bool is_said = !unclean.clean && (unclean.beyond_own || !journal_.is_relays);
    if (is_said) continue;
    unclean.clean = false;
    unclean.beyond_own = unclean.beyond_own || journal_.is_relays;
    HAWSER_TRY(volumes_[i].checkpoint->Write(unclean));
    checkpoints_[i] = unclean;
  }
  return {};
}

// ---- what can't go on

void Recovery::CheckPassed(const Position& group) {
  for (std::size_t i = 0; i < stands_.size(); ++i) {
    const Position& applied = stands_[i].applied.position;
    const Position& at = applied.group == group.group ? applied : held_[i];
    if (!stands_[i].active() || at.group == Group{} || at.group != group.group || at == group) continue;
    if (purpose_ == RecoverFor::kFollowing) {
      Stop(i, Condition::kDiverged, OtherHistoryText(at, group));
      continue;
    }
    Stop(i, Condition::kDiverged,
         fmt::format(
             "the store stands at {}, but {} has another group there ({}): it has lost records that were "
             "acknowledged; restore its folder",
             at.Text(), journal_.name, group.Text()));
  }
}

Status Recovery::Settle(std::size_t volume, const Position& group, Status done) {
  if (done || done.error().code != kStoreDiverged) return done;
  const bool original = purpose_ == RecoverFor::kServing;
  Stop(volume, Condition::kDiverged,
       original ? OriginalDivergenceText(done.error(), group) : DivergenceText(done.error(), group));
  if (original) return {};
  return volumes_[volume].checkpoint->NoteDivergence(stands_[volume].problem);
}

void Recovery::Stop(std::size_t volume, Condition condition, std::string problem) {
  log::error("volume {}: {}", names_[volume].value, problem);
  stands_[volume].condition = condition;
  stands_[volume].problem = std::move(problem);
}

// Of all volumes in the journal: each pass goes over all of them.
std::string Recovery::ProgressText() const {
  const std::uint64_t from = begin_.position.sequence.value;
  return fmt::format("{}: {} of {} records", pass_ == Pass::kApplying ? "applying" : "looking ahead",
                     at_.position.sequence.value - from, target_.sequence.value - from);
}

}  // namespace hawser
