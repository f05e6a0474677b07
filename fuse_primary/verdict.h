// What the relay's answer to a record means for the record's volume. Pure: the funnel executes it, the
// simulation too.
#pragma once

#include <optional>

#include "common/net/messages.h"
#include "fuse_primary/setback.h"

namespace hawser {

struct Verdict {
  enum class Meaning {
    kJournaled,     // it must be in the store now
    kRefused,       // it is nowhere and never will be: the caller gets `error`
    kFenced,        // the same, and this node may change the volume no more
    kOtherJournal,  // it is in a journal, or a history of it, that the store doesn't follow: the volume takes
                    // no more changes
  };
  Meaning meaning = Meaning::kJournaled;
  Error error;  // the caller's, unless it is journaled

  // Whether the record is in nobody's journal for certain: then the store lacks nothing without it. A session
  // that was replaced isn't told what became of its last records.
  bool is_nowhere = false;
};

// `journal`: the one that the store follows. `known`: a group that the relay had acknowledged before the
// record was sent; the record's comes after it (I2), or the relay has lost what it acknowledged.
Verdict Judge(const Answer& answer, const JournalId& journal, Group known);

// What it means for the whole volume; nullopt: nothing.
std::optional<Setback> SetbackOf(const Verdict& verdict);

}  // namespace hawser
