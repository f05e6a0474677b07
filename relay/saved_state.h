// What the relay keeps in `sequencer.state` beside its journal, so that a restart need not read the whole
// journal: the sequencer's state at some group, and the milestones for retention up to there. It is a cache:
// it may be deleted at any time, also when old segments are gone, and nothing is lost but time. And it is
// evidence: that group was durable, so a journal that doesn't hold it has lost something (recovery.h).
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "relay/sequencer.h"

namespace hawser {

struct SavedState {
  SequencerState sequencer;
  std::vector<Progress> milestones;  // ascending; ends of segments through which may be dropped (writer.h)
};

// Atomically; durable when it returns.
Status SaveState(const std::string& folder, const SavedState& state);

// ENOENT if there is none; EBADMSG, naming the file, if it is damaged or of another version.
Result<SavedState> LoadState(const std::string& folder);

}  // namespace hawser
