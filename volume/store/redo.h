// Redo: bringing a store from a checkpoint to a later state when it may already hold any of what comes
// between (DESIGN section 4). Disks write what they like before a checkpoint, so "is it there already?" can't
// be answered by looking at what a record changes, but only by id.
//
// How it works. Every record brings what it touches to the state right after it, whatever is there now: a
// state after a later record is taken back, for that record will be redone too. Three things make that safe:
//  - Nodes are found by id, wherever they are now: first at the path, else through an index of the whole
//    store, built by one walk at the first miss and kept up to date.
//  - No node is removed that a later record may need: what loses its last name goes to a hidden folder of the
//    store's root, and from there with the end of redo. Only what the journal names again comes back.
//  - Which directory a path meant at its place in the order is known by looking ahead: every record is shown
//    to Expect() before the first one is applied.
// A node that is nowhere was removed for good by a later record: records on it are skipped.
//
// Symlinks and special files have ids only in stores that root keeps (identity.h). Elsewhere they are
// recognised by the state that their names are in as a whole, which takes it that the filesystem keeps
// changes of names in order, as journaling ones do; two of them that a record exchanges can't be told apart,
// and several names of one may become several nodes.
//
// Collapsing and inserting ranges (fallocate) can't be done twice: whether it was done is told by the file's
// size, see NeedsCheckpoint().
#pragma once

#include <memory>

#include "common/base/result.h"
#include "common/record/record.h"
#include "volume/store/store.h"

namespace hawser {

// Not thread safe; nobody else changes the store meanwhile.
class Redo {
 public:
  explicit Redo(Store& store);  // outlives it
  ~Redo();
  Redo(Redo&&) noexcept;
  Redo& operator=(Redo&&) noexcept;

  // First all records from the checkpoint on, in order.
  void Expect(const Record& record);
  // Then the same records again, each being applied. kStoreDiverged: the store holds what no record accounts
  // for.
  Status Apply(const Record& record, Bytes payload);
  // After the last one: what has no name any more is removed. Nothing is flushed.
  Status Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A record that failed with another error than kStoreDiverged may have been applied in part: this applies it
// again, when everything before it is in the store and nothing after it that touches the same nodes.
Status RedoOne(Store& store, const Record& record, Bytes payload);

// Whether the record can't be redone after a later one: a checkpoint has to lie right before and right after
// it.
bool NeedsCheckpoint(const Body& body);

}  // namespace hawser
