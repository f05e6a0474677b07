// What a primary journals when its store has no room for a record that is in the journal already: the node's
// real state, as it then is, so that every replica follows it (DESIGN section 2). The caller gets the errno;
// the replicas, which may have had room, end with the same tree.
#pragma once

#include <functional>

#include "common/base/payload.h"
#include "common/record/record.h"
#include "volume/store/store.h"

namespace hawser {

// Calls `journal` with each record, in order. `refused` was journaled; this store could not apply it, or only
// in part, and nothing that conflicts with it has changed since. The records are not to be applied to this
// store: it is what they say. Errors: of `journal`; of reading the store; ENOTSUP for a kind that is not
// known to need room.
//
// A long range comes as several records of at most kMaxPayloadBytes.
using JournalRemedy = std::function<Status(Body body, Payload payload)>;
Status Remedy(const Store& store, const Record& refused, const JournalRemedy& journal);

}  // namespace hawser
