// A divergence outlives a restart: it is noted beside the volume's checkpoint, and the volume isn't replayed
// until the note is taken away with the repair.
#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/record/position.h"

namespace hawser {

// What a person is told: the error, where replay has stopped, and how to repair. `group` could not be
// applied.
std::string DivergenceText(const Error& error, const Position& group);

// The same of a primary's own store: there is no other to copy from, and its journal may not reach back to
// the beginning.
std::string OriginalDivergenceText(const Error& error, const Position& group);

// That a store stands at a group of another history than the journal has there: `at` where `there` belongs.
std::string OtherHistoryText(const Position& at, const Position& there);

// Durable when it returns.
Status NoteDivergence(const std::string& checkpoint_path, const std::string& problem);

// What was noted; nullopt: nothing.
Result<std::optional<std::string>> ReadDivergence(const std::string& checkpoint_path);

}  // namespace hawser
