// The marks that checkpoints leave on a store's root, so that a store tells of which checkpoint it is.
//
// A checkpoint puts its random mark there before the store is flushed, beside the mark of the checkpoint that
// is still in place; only then is the checkpoint itself written (volume/recovery/checkpoint_keeper.h). So at
// every moment, and after any power cut, the store carries the mark of the checkpoint in place. One that
// doesn't is another store, an older copy, or the empty folder of a disk that isn't mounted (DESIGN section
// 5b): nothing that the checkpoint promises holds for it.
//
// With the mark stands the position of its checkpoint. Where the checkpoint itself is lost, with the state
// folder, it tells whose records the store holds, and up to where at least: not every journal leads on from
// there.
//
// Kept in the xattr user.hawser.checkpoint of the root; hidden from the mount like all of user.hawser.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/record/position.h"
#include "volume/store/checkpoint.h"

namespace hawser {

struct StoreMarks {
  std::uint64_t newest = 0;  // 0: none yet
  std::uint64_t before = 0;
  Position at;  // of the newest

  bool Has(std::uint64_t mark) const { return mark != 0 && (mark == newest || mark == before); }
  friend bool operator==(const StoreMarks&, const StoreMarks&) = default;
};

// Of the root behind the descriptor; `path` is for messages. A store that carries none: all 0. EBADMSG: they
// can't be understood.
Result<StoreMarks> ReadStoreMarks(int root, const std::string& path);
// Neither flushes. The room they take is taken once: replacing them needs none.
Status WriteStoreMarks(int root, const StoreMarks& marks, const std::string& path);

// What somebody is told whose store isn't the checkpoint's. The errno is ESTALE.
Error WrongStore(const VolumeName& volume, const std::string& path);

// Whether the store with `marks` is the one that `checkpoint` is of; one without a checkpoint may be any.
Status CheckMarks(const std::optional<Checkpoint>& checkpoint, const StoreMarks& marks,
                  const VolumeName& volume, const std::string& path);

}  // namespace hawser
