// Records as JSON, for `hawser journal show --json`.
#pragma once

#include <string>

#include "cli/json.h"
#include "common/record/record.h"

namespace hawser::cli {

// Every field of the record, by its name in record.h; the payload is told by its length only. Names and paths
// that aren't UTF-8 are escaped (Utf8 in output.h).
Json ToJson(const Record& record, std::size_t payload_bytes);

// "2026-01-31T12:34:56.123456789Z"
std::string IsoTime(Timestamp time);

}  // namespace hawser::cli
