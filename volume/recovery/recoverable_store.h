// What recovery needs of a store. The real one is Recoverable(Store&); the simulation has its own.
#pragma once

#include <memory>
#include <set>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/record/record.h"
#include "volume/recovery/differences.h"
#include "volume/store/store.h"

namespace hawser {

// One thread; nobody else changes the store meanwhile. Errors as in store.h and redo.h: kStoreDiverged if the
// store isn't what the journal says.
class RecoverableStore {
 public:
  virtual ~RecoverableStore() = default;

  // Whether nothing was ever applied to it.
  virtual bool is_new() const = 0;
  // Of which checkpoint it is.
  virtual Result<StoreMarks> Marks() const = 0;
  virtual Status Apply(const Record& record, Bytes payload) = 0;
  Status ApplyAs(const Manner& manner, const Record& record, Bytes payload) {
    if (manner.anyhow) return ApplyAnyhow(record, payload, manner.differs);
    return manner.differs ? ApplyDiffering(record, payload) : Apply(record, payload);
  }

  // Brings what the record touches to the state after it, whatever it is now (RedoOne in redo.h).
  virtual Status ApplyAnyhow(const Record& record, Bytes payload, bool differs) = 0;

  // For a path at which the store isn't what the journal says (ApplyTo::differs in store.h).
  virtual Status ApplyDiffering(const Record& record, Bytes payload) = 0;
  // What is left to do of a record that isn't applied: the times of the folders, as far as that goes. Within
  // a redo of the last one.
  virtual void ApplyFolderTimes(const Record& record) = 0;
  // As in store.h.
  virtual bool HasRoom(std::uint64_t bytes) const = 0;
  virtual bool HasOtherNames(const StorePath& path) const = 0;
  // Which of these files are anywhere in it. Looks at all of it.
  virtual Result<std::set<FileId>> Present(const std::set<FileId>& files) const = 0;
  // Tries once more what was refused when it stood last: as ApplyDiffering, so that nothing is displaced; but
  // the times of folders stay as they are by now.
  virtual Status Repeat(const Record& record, Bytes payload) = 0;

  // Redo (redo.h): all records are expected, in order, then the same are redone, then it is finished.
  virtual void Expect(const Record& record) = 0;
  virtual Status Redo(const Record& record, Bytes payload, bool differs) = 0;
  virtual Status RedoAgain(const Record& record, Bytes payload, bool differs) = 0;
  virtual Status FinishRedo(bool differs) = 0;
  // Removes what earlier ones have left, for it is where the journal says.
  virtual Status RemoveLeft() = 0;
};

// `store` outlives it.
std::unique_ptr<RecoverableStore> Recoverable(Store& store);

}  // namespace hawser
