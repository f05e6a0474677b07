// The extended attributes of a store's nodes, as callers see them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace hawser {

// `node`: its path in /proc or elsewhere. `shown`: what it is called in errors.
//
// Without the store's own (IsHiddenXattr); none where the filesystem has none.
Result<std::vector<std::string>> ShownXattrs(const std::string& node, const std::string& shown);
// nullopt: it has none of that name.
Result<std::optional<Buffer>> ReadXattr(const std::string& node, const std::string& name,
                                        const std::string& shown);

}  // namespace hawser
