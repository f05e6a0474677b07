#include "tests/sim/secondary_recovery.h"

#include <algorithm>

#include "common/base/crash_point.h"
#include "common/journal/reader.h"
#include "fuse_secondary/replay_batch.h"
#include "volume/store/store.h"

namespace hawser::sim {

namespace {

constexpr std::uint64_t kBatchBytes = 4 * kKiB;

class Recovery {
 public:
  Recovery(World& world, Checker& checker, const NodeName& node, OwnJournal& journal, Machine& machine,
           const std::vector<VolumeName>& names)
      : world_(world), checker_(checker), node_(node), journal_(journal), machine_(machine), names_(names) {}

  Result<RecoveredSecondary> Run() {
    ReadStands();
    HAWSER_TRY(OpenOwnJournal());
    if (journal_.is_open()) {
      checker_.Received(node_, journal_.durable());
      for (VolumeStand& stand : stands_) CheckStand(stand);
    }
    MarkUnclean();
    if (journal_.is_open()) HAWSER_TRY(BringForward());
    for (std::size_t i = 0; i < stands_.size(); ++i)
      checker_.Shows(node_, names_[i], DiskOf(i).store.tree(), stands_[i].applied.position);
    return RecoveredSecondary{Begin(), stands_};
  }

 private:
  VolumeDisk& DiskOf(std::size_t volume) { return *machine_.volumes.at(names_[volume]); }

  void ReadStands() {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      VolumeStand stand;
      stand.name = names_[i];
      const auto& checkpoint = DiskOf(i).checkpoint;
      if (checkpoint) stand.applied = stand.checkpoint = checkpoint->progress;
      unclean_.push_back(checkpoint ? !checkpoint->clean : !DiskOf(i).store.is_new());
      if (world_.mutations().Has(Fault::kSkipRedo)) unclean_.back() = false;
      stands_.push_back(std::move(stand));
    }
  }

  Status OpenOwnJournal() {
    HAWSER_ASSIGN(const bool exists, journal_.Exists());
    if (exists) {
      Status opened = journal_.Open({});
      if (!opened && opened.error().code == EBADMSG)
        world_.Fail(kI4,
                    fmt::format("{}'s own journal doesn't recover: {}", node_.value, opened.error().Text()));
      return opened;
    }
    const VolumeStand* last = Last();
    if (last == nullptr || last->applied.position.group == Group{}) return {};
    return journal_.Open(last->applied);
  }

  const VolumeStand* Last() const {
    const auto last = std::min_element(stands_.begin(), stands_.end(), [](const auto& a, const auto& b) {
      return a.applied.position.group < b.applied.position.group;
    });
    return last == stands_.end() ? nullptr : &*last;
  }

  // Nobody deletes or changes a journal here: one that doesn't lead on from where a volume stands has lost
  // something.
  void CheckStand(const VolumeStand& stand) {
    const Position& at = stand.applied.position;
    const Position oldest = journal_.oldest().position;
    if (at.group < oldest.group || (at.group != Group{} && at.journal != oldest.journal)) {
      world_.Fail(kI1, fmt::format("{}'s own journal begins at group {}, but {} stands at {}", node_.value,
                                   oldest.group.value, stand.name.value, at.group.value));
    }
    if (at.group == Group{} || at.group > journal_.durable().position.group) return;
    const auto reader = OpenJournalReader(journal_.folder(), at);
    if (!reader) checker_.Diverged(node_, stand.name, reader.error().Text());
  }

  void MarkUnclean() {
    for (std::size_t i = 0; i < names_.size(); ++i)
      DiskOf(i).checkpoint = hawser::Checkpoint{stands_[i].checkpoint, false};
  }

  Group Target() const {
    const Group end = journal_.durable().position.group;
    Group target;
    for (std::size_t i = 0; i < stands_.size(); ++i)
      target = std::max(target, unclean_[i] ? end : std::min(end, stands_[i].applied.position.group));
    return target;
  }

  Progress Begin() const {
    if (!journal_.is_open()) return {};
    const VolumeStand* last = Last();
    const Progress end = journal_.durable();
    if (last == nullptr || last->applied.position.group > end.position.group) return end;
    return last->applied;
  }

  Status BringForward() {
    const Group target = Target();
    const Progress begin = Begin();
    if (target <= begin.position.group) return {};
    world_.Note("{}: brings its copies from {} to group {}", node_.value, begin.position.Text(),
                target.value);
    HAWSER_ASSIGN(const auto reader, OpenJournalReader(journal_.folder(), begin.position));
    for (;;) {
      HAWSER_ASSIGN(const ReplayBatch batch, ReadBatch(*reader, target, kBatchBytes, names_));
      if (batch.groups.empty()) break;
      for (const ReplayGroup& group : batch.groups) HAWSER_TRY(Apply(group));
    }
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (unclean_[i]) HAWSER_TRY(DiskOf(i).store.FinishRedo());
    }
    return {};
  }

  Status Apply(const ReplayGroup& group) {
    const auto wanted = [&](std::size_t i) {
      return group.end.position.group > stands_[i].applied.position.group;
    };
    for (const ReplayRecord& record : group.records) {
      if (!wanted(record.volume)) continue;
      CrashPoint("secondary.redoing");
      ModelStore& store = DiskOf(record.volume).store;
      Status applied = unclean_[record.volume] ? store.Redo(record.record, record.payload)
                                               : store.Apply(record.record, record.payload);
      if (!applied && applied.error().code == kStoreDiverged)
        checker_.Diverged(node_, names_[record.volume], applied.error().message);
      HAWSER_TRY(std::move(applied));
    }
    for (std::size_t i = 0; i < stands_.size(); ++i) {
      if (wanted(i)) stands_[i].applied = group.end;
    }
    return {};
  }

  World& world_;
  Checker& checker_;
  const NodeName node_;
  OwnJournal& journal_;
  Machine& machine_;
  const std::vector<VolumeName>& names_;
  std::vector<VolumeStand> stands_;
  std::vector<char> unclean_;
};

}  // namespace

Result<RecoveredSecondary> RecoverSecondary(World& world, Checker& checker, const NodeName& node,
                                            OwnJournal& journal, Machine& machine,
                                            const std::vector<VolumeName>& names) {
  return Recovery(world, checker, node, journal, machine, names).Run();
}

}  // namespace hawser::sim
