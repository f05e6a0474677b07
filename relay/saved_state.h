// What the relay keeps in `sequencer.state` beside its journal, so that a restart need not read the whole
// journal: the sequencer's state at some group, and the milestones for retention up to there. Losing the file
// loses nothing but time (and the greetings of sessions that have not written yet): everything is in the
// journal.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "relay/sequencer.h"

namespace hawser {

struct SavedState {
  SequencerState sequencer;
  std::vector<Progress> milestones;  // ascending; the first is the oldest group known
};

// Atomically; durable when it returns.
Status SaveState(const std::string& folder, const SavedState& state);

// ENOENT if there is none; EBADMSG, naming the file, if it is damaged or of another version.
Result<SavedState> LoadState(const std::string& folder);

}  // namespace hawser
