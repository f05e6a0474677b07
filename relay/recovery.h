// What the relay knows when it starts: the saved state and the frames after it, or all frames that are there.
#pragma once

#include <string>

#include "common/base/result.h"
#include "common/journal/journal.h"
#include "relay/saved_state.h"

namespace hawser {

// The sequencer's state at the journal's end, and milestones about every `segment_bytes`. EBADMSG if a frame
// holds something that isn't a record.
Result<SavedState> Recover(const Journal& journal, const std::string& folder, const Membership& members,
                           std::uint64_t segment_bytes);

// Adds the state after a group as a milestone if it is the first, or `segment_bytes` after the last. The
// number kept stays bounded: a long list is thinned.
bool AddMilestone(std::vector<Progress>& milestones, const Progress& after, std::uint64_t segment_bytes);

// Forgets those at or before `oldest`, but for the last of them.
void ForgetMilestones(std::vector<Progress>& milestones, const Progress& oldest);

}  // namespace hawser
