// A volume's backing directory on a simulated disk: what is seen (page cache), and what a power cut would
// leave of it: the flushed state, changes of names up to some point (filesystems keep those in order), and of
// all other changes any subset.
//
// Mirrors volume/store: Apply, Flush, and with model_redo.h Redo.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "tests/sim/model_redo.h"
#include "tests/sim/tree.h"
#include "tests/sim/world.h"
#include "volume/recovery/recoverable_store.h"

namespace hawser::sim {

class ModelStore : public RecoverableStore {
 public:
  explicit ModelStore(World& world) : world_(world) {}

  void Serve(LifePtr life) { life_ = std::move(life); }
  // As a new Recoverable().
  void BeginRecovery() { redo_.reset(); }
  void set_full(bool full) { full_ = full; }
  // From here on it refuses this share of all records for good: the same ones for the same `salt`.
  void Refuse(double share, std::uint64_t salt) {
    refused_share_ = share;
    refused_salt_ = salt;
  }

  const Tree& tree() const { return disk_.tree; }
  bool is_new() const override { return disk_.is_new; }
  const StoreMarks& marks() const { return disk_.marks; }
  Result<StoreMarks> Marks() const override { return disk_.marks; }

  // As Store::Apply. kStoreDiverged: nothing changed. Else the disk's error: applied in part.
  Status Apply(const Record& record, Bytes payload) override;
  Status ApplyAnyhow(const Record& record, Bytes payload, bool differs) override;
  Status ApplyDiffering(const Record& record, Bytes payload) override;
  void ApplyFolderTimes(const Record&) override {}  // folders have none here
  bool HasRoom(std::uint64_t) const override { return !full_; }
  bool HasOtherNames(const StorePath&) const override { return false; }
  Result<std::set<FileId>> Present(const std::set<FileId>& files) const override;
  Status Repeat(const Record& record, Bytes payload) override { return ApplyDiffering(record, payload); }
  // As Redo::Apply and RedoOne, and Redo::Finish.
  void Expect(const Record& record) override { redoing().Expect(record); }
  Status Redo(const Record& record, Bytes payload, bool differs) override;
  Status RedoAgain(const Record& record, Bytes payload, bool differs) override;
  Status FinishRedo(bool differs) override;
  Status RemoveLeft() override;

  // As Store::SetMarks and Flush, in two halves: what was there at the beginning is durable at the end. A
  // flush that fails leaves some of it, and the rest is never written. Between the two goes how much it was.
  std::size_t BeginFlush(const StoreMarks& marks);
  Status EndFlush(std::size_t begun);

  void PowerCut();
  // The disk itself: taken out and put in while no process runs on it. A copy of one that ended in order, or
  // was killed, holds what is seen.
  struct Disk {
    bool is_new = true;
    Tree tree;
    Tree durable;
    StoreMarks marks;
    StoreMarks durable_marks;
    std::vector<Effect> pending;
    std::size_t dropped = 0;  // effects that were pending once and are settled
  };
  Disk Exchange(Disk disk) { return std::exchange(disk_, std::move(disk)); }
  Disk Copy() const;

  // Changes it behind everybody's back; false: there is nothing to change.
  bool Touch();

 private:
  Status Ended() const;
  Status ApplyEffects(const Record& record, Bytes payload, std::vector<Effect> effects);
  ModelRedo& redoing() {
    if (!redo_) redo_.emplace();
    return *redo_;
  }
  Status MayTake(const Record& record, Bytes payload) const;
  bool Refuses(const Record& record, Bytes payload) const;
  Status Do(Redone redone);
  Status DoAll(const std::vector<Effect>& effects);
  // Of the first `count` pending effects, those that reach the disk without a flush. `all_names`: all changes
  // of names do (a filesystem that cannot keep those gives up altogether).
  void LeaveSome(std::size_t count, bool all_names);

  World& world_;
  LifePtr life_;
  bool full_ = false;
  double refused_share_ = 0;
  std::uint64_t refused_salt_ = 0;
  Disk disk_;
  std::optional<ModelRedo> redo_;
};

}  // namespace hawser::sim
