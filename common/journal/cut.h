// Taking groups back off a journal's end that were on the disk already.
//
// A crash halfway would look like damage: a hole with flushed frames behind it. So the intention is made
// durable first, as a file of its own (kCutName) that names the position, and goes when all is done; who
// opens the journal and finds it carries it out, from wherever it was left. Cutting twice is the same as
// once.
#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/journal/disk.h"
#include "common/record/position.h"

namespace hawser {

// How the journal ends then.
struct CutJournal {
  Group segment;             // the first group of the last segment
  std::uint64_t offset = 0;  // where that goes on
  std::uint64_t bytes = 0;   // of that segment, on disk
  Progress end;
};

// `folder` is locked by the caller and holds `position`, flushed. Durable when this returns. An error: the
// cut is done or will be when the journal is next opened.
Result<CutJournal> CutBehind(const std::string& folder, const Position& position, Disk& disk);

// Ends a cut that a crash interrupted; nullopt if there was none.
Result<std::optional<CutJournal>> FinishCut(const std::string& folder, Disk& disk);

}  // namespace hawser
