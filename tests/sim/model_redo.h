// Redo of a modelled store. Mirrors volume/store/redo.cc and redo_tree.cc over the real RedoPlan: what may be
// set aside, what is put back when the store refuses a rename, what is missing or in the way where the store
// is known to differ, and what is left in the end. Files are found by id; folders are always there.
#pragma once

#include <vector>

#include "tests/sim/tree.h"
#include "volume/store/redo_plan.h"

namespace hawser::sim {

// Some of it may be done though it isn't all right.
struct Redone {
  Status status;
  std::vector<Effect> effects;
};

class ModelRedo {
 public:
  void Expect(const Record& record) { plan_.Add(record); }
  // The next record, or the last one again. `refused`: why the store doesn't take it; what it has moved is
  // put back.
  Redone Apply(const Tree& tree, const Record& record, Bytes payload, bool differs, const Status& refused);
  Redone ApplyAgain(const Tree& tree, const Record& record, Bytes payload, bool differs,
                    const Status& refused) const;
  Redone Finish(const Tree& tree, bool differs) const;

 private:
  RedoPlan plan_;
  PlannedRecord last_;
};

// What Finish() has left goes.
std::vector<Effect> RemoveLeft(const Tree& tree);

}  // namespace hawser::sim
