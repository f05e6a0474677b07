// Where a journal begins: behind what was let go. It stands in a file of its own (kBeginName), so that a
// first segment that is lost is told from one that was dropped.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/journal/fault.h"
#include "common/record/position.h"

namespace hawser {

// Durable when this returns. Written before the journal's first segment is made and before segments are
// dropped: what is older than it may be there or not, what follows it must be.
Status WriteBegin(const std::string& folder, const Progress& begin);

// nullopt: a journal from before there was such a file. EBADMSG if it can't be read.
Result<std::optional<Progress>> ReadBegin(const std::string& folder);

// The segments that are missing before the oldest that is there, which begins with `oldest`. The segments are
// to be listed first and `begin` read then: others may be dropping.
std::optional<JournalFault> MissingBeginning(const std::optional<Progress>& begin, Group oldest);

}  // namespace hawser
