// What a primary journals when its store refuses a record that is in the journal already: the node's real
// state, as it then is, so that every replica follows it (DESIGN section 2). The caller gets the errno; the
// replicas, which may have taken the record, end with the same tree.
//
// Whatever the errno was, and however much of the record is in the store: what is there is looked at. The
// records are remedies (record.h): they are applied whatever a replica holds of the refused one, and as often
// as one likes.
#pragma once

#include <functional>

#include "common/base/payload.h"
#include "common/record/record.h"
#include "volume/store/store.h"

namespace hawser {

// Calls `journal` with each record, in order, at least once; the last one says so. `refused`, which stands in
// the journal at `sequence`, is not in this store, or only in part, and nothing that conflicts with it has
// changed since. The records are not to be applied to this store: it is what they say. Errors: of `journal`;
// of reading the store; ENOTSUP for a control record, which no store refuses.
//
// A long range comes as several records of at most kMaxPayloadBytes.
using JournalRemedy = std::function<Status(Body body, Payload payload, RemedyOf of)>;
Status Remedy(const Store& store, const Record& refused, Sequence sequence, const JournalRemedy& journal);

}  // namespace hawser
