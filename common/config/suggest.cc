#include "common/config/suggest.h"

#include <algorithm>
#include <cctype>

namespace hawser {

std::size_t EditDistance(std::string_view a, std::string_view b) {
  const auto same = [&](std::size_t i, std::size_t j) {
    return std::tolower(static_cast<unsigned char>(a[i])) == std::tolower(static_cast<unsigned char>(b[j]));
  };
  // The last three rows of the table of distances between the beginnings of both.
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same(i - 1, j - 1) ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::optional<std::string> Nearest(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t kLongestWord = 64;  // a longer one is no slip, and the table would be large
  if (word.size() > kLongestWord) return std::nullopt;
  std::optional<std::string> nearest;
  std::size_t best = 0;
  for (const auto& candidate : known) {
    const auto distance = EditDistance(word, candidate);
    if (distance > std::max<std::size_t>(2, candidate.size() / 2)) continue;
    if (distance >= std::max(word.size(), candidate.size())) continue;  // nothing in common
    if (!nearest || distance < best) nearest = candidate, best = distance;
  }
  return nearest;
}

std::string Suggestion(std::string_view word, const std::vector<std::string>& known) {
  if (const auto nearest = Nearest(word, known)) return "; did you mean '" + *nearest + "'?";
  std::string list;
  for (const auto& candidate : known) list += (list.empty() ? "" : ", ") + candidate;
  return known.empty() ? "; there is none" : "; use one of: " + list;
}

}  // namespace hawser
