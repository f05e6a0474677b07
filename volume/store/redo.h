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
// A record that the store refuses leaves what it touches as it was, so that all others can be redone without
// it.
//
// Collapsing and inserting ranges (fallocate) can't be done twice: whether it was done is told by the file's
// size, see NeedsCheckpoint().
#pragma once

#include <memory>

#include "common/base/result.h"
#include "common/record/record.h"
#include "volume/store/store.h"

namespace hawser {

// In the store's root while there is a redo, for what has no place. No volume has anything of that name
// there.
inline constexpr const char* kRedoFolder = ".hawser.redo";

// The errno that says: the record is in the store, but the name that it takes away holds something yet.
inline constexpr int kNameStays = EEXIST;

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
  // for. ENOENT: what is missing has been removed by none.
  // `differs`: the store is known not to be what the journal says where the record goes. Then a node that is
  // nowhere is ENOENT, and a name that should be free and isn't kNameStays.
  Status Apply(const Record& record, Bytes payload, bool differs = false);
  // The last one once more: it has failed.
  Status ApplyAgain(const Record& record, Bytes payload, bool differs = false);
  // What is left to do of the last one if it can't be applied: the times of the folders, as far as that goes.
  void ApplyFolderTimes(const Record& record);
  // After the last one: what has no name any more is removed. Nothing is flushed. What got none because a
  // record was refused is left for the next redo if the store `differs`; else that is kStoreDiverged.
  Status Finish(bool differs = false);
  // Instead, for another redo to go on: what has no name stays.
  void Leave();
  // Without any record: what Finish() has left goes. When nothing differs any more, and nothing has to be
  // redone.
  Status RemoveLeft();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A record that failed with another error than kStoreDiverged may have been applied in part: this applies it
// again, when everything before it is in the store and nothing after it that touches the same nodes.
// `differs` as above.
Status RedoOne(Store& store, const Record& record, Bytes payload, bool differs = false);

// Whether the record can't be redone after a later one: a checkpoint has to lie right before and right after
// it.
bool NeedsCheckpoint(const Body& body);

}  // namespace hawser
