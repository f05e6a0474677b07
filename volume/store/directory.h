// Reading a directory of a store: the one way for all who do.
#pragma once

#include <dirent.h>

#include <functional>

#include "common/base/result.h"

namespace hawser {

// Calls `visit` for each entry but "." and "..", in the order of the filesystem, until it returns false.
// `directory` is a descriptor, O_PATH or not, and keeps its place. The entry is valid during the call only.
Status VisitEntries(int directory, const std::function<bool(const dirent&)>& visit);

Result<bool> IsEmptyDirectory(int directory);

// Whether each path below a directory, as seen from it, has at most so many bytes. Looks into folders that
// hold folders only; what may not be read counts as empty.
Result<bool> PathsBelowFit(int directory, std::size_t most);

}  // namespace hawser
