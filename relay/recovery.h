// What the relay knows when it starts: the saved state and the frames after it, or all frames that are there.
#pragma once

#include <string>

#include "common/base/result.h"
#include "common/journal/journal.h"
#include "relay/saved_state.h"

namespace hawser {

// The sequencer's state at the journal's end, and the milestones in it. `folder` may hold a saved state;
// without one, or with one from before the journal's beginning, all that is left of the journal is read: it
// says the same. EBADMSG if the saved state is ahead of the journal or of another one (DESIGN section 5b),
// and if a frame holds something that isn't a record.
Result<SavedState> Recover(const Journal& journal, const std::string& folder, const Membership& members);

// Adds a milestone after the others, if it isn't there. The number kept stays bounded: a long list is
// thinned.
void AddMilestone(std::vector<Progress>& milestones, const Progress& milestone);

// Forgets those at or before `oldest`, but for the last of them.
void ForgetMilestones(std::vector<Progress>& milestones, const Progress& oldest);

}  // namespace hawser
