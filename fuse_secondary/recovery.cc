#include "fuse_secondary/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "common/journal/reader.h"
#include "fuse_secondary/divergence_note.h"
#include "fuse_secondary/replay_batch.h"
#include "volume/store/checkpoint.h"
#include "volume/store/redo.h"

namespace hawser {

namespace {

constexpr std::chrono::seconds kSayEvery{5};

class Recovery {
 public:
  Recovery(OwnJournal& journal, const std::vector<ReplicaVolume>& volumes, const ReplicaOptions& options)
      : journal_(journal), volumes_(volumes), options_(options), redos_(volumes.size()) {}

  Result<Recovered> Run() {
    HAWSER_TRY(ReadStands());
    HAWSER_TRY(OpenOwnJournal());
    if (journal_.is_open()) {
      for (VolumeStand& stand : stands_) HAWSER_TRY(CheckStand(stand));
    }
    HAWSER_TRY(MarkUnclean());
    if (journal_.is_open()) HAWSER_TRY(BringForward());
    return Recovered{Begin(), stands_};
  }

 private:
  Status ReadStands() {
    for (const ReplicaVolume& volume : volumes_) {
      VolumeStand stand;
      stand.name = volume.volume->name();
      HAWSER_ASSIGN(const auto checkpoint, ReadCheckpoint(volume.checkpoint_path));
      if (checkpoint) stand.applied = stand.checkpoint = checkpoint->progress;
      // Without a checkpoint only a new store is known to hold nothing.
      unclean_.push_back(checkpoint ? !checkpoint->clean : !volume.volume->store().is_new());
      HAWSER_ASSIGN(const auto divergence, ReadDivergence(volume.checkpoint_path));
      if (divergence) {
        stand.condition = Condition::kDiverged;
        stand.problem = *divergence;
      }
      stands_.push_back(std::move(stand));
    }
    return {};
  }

  Status OpenOwnJournal() {
    HAWSER_ASSIGN(const bool exists, journal_.Exists());
    if (exists) return journal_.Open({});
    const VolumeStand* last = LastActive();
    // From nothing: it begins with the relay's, whose id is not known yet.
    if (last == nullptr || last->applied.position.group == Group{}) return {};
    log::warn("the own journal is gone; a new one begins at {}", last->applied.position.Text());
    return journal_.Open(last->applied);
  }

  const VolumeStand* LastActive() const {
    const VolumeStand* last = nullptr;
    for (const VolumeStand& stand : stands_) {
      if (!stand.active()) continue;
      if (last == nullptr || stand.applied.position.group < last->applied.position.group) last = &stand;
    }
    return last;
  }

  // Whether the own journal leads on from where the volume stands.
  Status CheckStand(VolumeStand& stand) const {
    if (!stand.active()) return {};
    const Position& at = stand.applied.position;
    const Progress oldest = journal_.oldest();
    const bool other = at.group != Group{} && at.journal != oldest.position.journal;
    if (other || at.group < oldest.position.group) {
      stand.condition = Condition::kNeedsSync;
      stand.problem =
          fmt::format("the own journal '{}' {}; the volume stands at {} and needs a sync", journal_.folder(),
                      other ? "is another than the one that this store was made from"
                            : fmt::format("begins only at {}", oldest.position.Text()),
                      at.Text());
      log::error("volume {}: {}", stand.name.value, stand.problem);
      return {};
    }
    if (at.group == Group{} || at.group > journal_.durable().position.group) return {};
    const auto reader = OpenJournalReader(journal_.folder(), at);
    if (reader) return {};
    if (reader.error().code != ESTALE) return reader.error();
    stand.condition = Condition::kDiverged;
    stand.problem = reader.error().message;
    return {};
  }

  // From here on the stores may be ahead of their checkpoints.
  Status MarkUnclean() const {
    for (std::size_t i = 0; i < volumes_.size(); ++i) {
      if (!stands_[i].active()) continue;
      HAWSER_TRY(
          WriteCheckpoint(volumes_[i].checkpoint_path, {.progress = stands_[i].checkpoint, .clean = false}));
    }
    return {};
  }

  // The end of the own journal if a store may hold something of what comes after its checkpoint, else where
  // the foremost volume stands.
  Group Target() const {
    const Group end = journal_.durable().position.group;
    Group target;
    for (std::size_t i = 0; i < stands_.size(); ++i) {
      if (!stands_[i].active()) continue;
      target = std::max(target, unclean_[i] ? end : std::min(end, stands_[i].applied.position.group));
    }
    return target;
  }

  Progress Begin() const {
    if (!journal_.is_open()) return {};
    const VolumeStand* last = LastActive();
    const Progress end = journal_.durable();
    if (last == nullptr || last->applied.position.group > end.position.group) return end;
    return last->applied;
  }

  Status BringForward() {
    const Group target = Target();
    const Progress begin = Begin();
    if (LastActive() == nullptr || target <= begin.position.group) return {};
    log::info("bringing the stores from {} to group {}", begin.position.Text(), target.value);
    bool any_redo = false;
    for (std::size_t i = 0; i < volumes_.size(); ++i) {
      names_.push_back(stands_[i].name);
      if (!stands_[i].active() || !unclean_[i]) continue;
      redos_[i].emplace(volumes_[i].volume->store());
      any_redo = true;
    }
    if (any_redo) {
      HAWSER_TRY(ForEachGroup(begin, target, [this](const ReplayGroup& group) { return Expect(group); }));
    }
    HAWSER_TRY(ForEachGroup(begin, target, [this](const ReplayGroup& group) { return Apply(group); }));
    for (auto& redo : redos_) {
      if (redo) HAWSER_TRY(redo->Finish());
    }
    return {};
  }

  template <class Function>
  Status ForEachGroup(const Progress& begin, Group target, Function function) {
    HAWSER_ASSIGN(const auto reader, OpenJournalReader(journal_.folder(), begin.position));
    auto say_after = SteadyClock::now() + kSayEvery;
    while (true) {
      HAWSER_ASSIGN(const ReplayBatch batch, ReadBatch(*reader, target, options_.batch_bytes, names_));
      if (batch.groups.empty()) return {};
      for (const ReplayGroup& group : batch.groups) {
        if (options_.cancel != nullptr && *options_.cancel) return Error{ECANCELED, "the start was given up"};
        HAWSER_TRY(function(group));
      }
      if (SteadyClock::now() < say_after) continue;
      say_after = SteadyClock::now() + kSayEvery;
      log::info("at group {} of {}", batch.groups.back().end.position.group.value, target.value);
    }
  }

  bool IsWanted(const ReplayGroup& group, std::size_t volume) const {
    const VolumeStand& stand = stands_[volume];
    return stand.active() && group.end.position.group > stand.applied.position.group;
  }

  Status Expect(const ReplayGroup& group) {
    for (const ReplayRecord& record : group.records) {
      if (redos_[record.volume] && IsWanted(group, record.volume))
        redos_[record.volume]->Expect(record.record);
    }
    return {};
  }

  Status Apply(const ReplayGroup& group) {
    for (const ReplayRecord& record : group.records) {
      if (!IsWanted(group, record.volume)) continue;
      CrashPoint("secondary.redoing");
      auto& redo = redos_[record.volume];
      Status applied = redo ? redo->Apply(record.record, record.payload)
                            : volumes_[record.volume].volume->store().Apply(record.record, record.payload);
      if (!applied && applied.error().code == kStoreDiverged) {
        HAWSER_TRY(Diverge(record.volume, group, applied.error()));
      } else {
        HAWSER_TRY(std::move(applied));
      }
    }
    for (std::size_t i = 0; i < stands_.size(); ++i) {
      if (IsWanted(group, i)) stands_[i].applied = group.end;
    }
    return {};
  }

  Status Diverge(std::size_t index, const ReplayGroup& group, const Error& error) {
    VolumeStand& stand = stands_[index];
    stand.condition = Condition::kDiverged;
    stand.problem = DivergenceText(error, group.end.position);
    log::error("volume {} has diverged: {}", stand.name.value, stand.problem);
    return NoteDivergence(volumes_[index].checkpoint_path, stand.problem);
  }

  OwnJournal& journal_;
  const std::vector<ReplicaVolume>& volumes_;
  const ReplicaOptions& options_;
  std::vector<VolumeStand> stands_;
  std::vector<char> unclean_;
  std::vector<VolumeName> names_;
  std::vector<std::optional<Redo>> redos_;
};

}  // namespace

Result<Recovered> Recover(OwnJournal& journal, const std::vector<ReplicaVolume>& volumes,
                          const ReplicaOptions& options) {
  return Recovery(journal, volumes, options).Run();
}

}  // namespace hawser
