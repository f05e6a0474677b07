// What a person may have meant by a word that isn't known.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawser {

// Single-character edits (insert, delete, replace, swap neighbours) between the two, case ignored.
std::size_t EditDistance(std::string_view a, std::string_view b);

// The nearest of `known`, if any is near enough to be a slip.
std::optional<std::string> Nearest(std::string_view word, const std::vector<std::string>& known);

// "; did you mean 'ports'?" or, with nothing near, "; use one of: address, ports"
std::string Suggestion(std::string_view word, const std::vector<std::string>& known);

}  // namespace hawser
