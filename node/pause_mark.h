// That the copies of a node are paused is a file in its state folder: it outlives the process.
#pragma once

#include <string>

#include "common/base/result.h"

namespace hawser {

// `path`: StateFolder::Paused().
bool IsPaused(const std::string& path);
// Durable when it returns.
Status MarkPaused(const std::string& path, bool paused);

}  // namespace hawser
