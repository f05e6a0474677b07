// A Progress in the small JSON files of a state folder.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "common/record/position.h"

namespace hawser {

// journal, sequence, group, digest, journal_bytes, time.
nlohmann::json ToJson(const Progress& progress);
// Throws std::exception for anything else.
Progress ProgressFromJson(const nlohmann::json& json);

}  // namespace hawser
