// The path of a node inside a volume: bytes, relative to the volume's root, components joined by '/'.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace hawser {

inline constexpr std::size_t kMaxNameBytes = 255;

// Whether `name` can be one component: 1 to 255 bytes, no '/' and no NUL, not "." or "..".
bool IsValidName(std::string_view name);

// Never absolute, never with an empty, "." or ".." component: it cannot leave the store. Of any length (a
// tree can be deeper than PATH_MAX). The root is the empty path.
class StorePath {
 public:
  StorePath() = default;

  // EINVAL, naming the path, if `text` is not such a path.
  static Result<StorePath> Parse(std::string_view text);

  bool IsRoot() const { return text_.empty(); }
  const std::string& text() const { return text_; }
  // As a person is shown it: "/" for the root, unprintable bytes escaped.
  std::string Printable() const;

  // The path without its last component, and that component. Not for the root.
  StorePath Parent() const;
  std::string_view Name() const;

  // `name` must be valid.
  StorePath Child(std::string_view name) const;

  // Whether this is `other` or lies below it.
  bool IsAtOrBelow(const StorePath& other) const;

  std::vector<std::string_view> Components() const;

  friend auto operator<=>(const StorePath&, const StorePath&) = default;

 private:
  explicit StorePath(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace hawser
