// A YAML document as a plain tree that knows its lines. What a config doesn't need and what makes YAML
// dangerous to read is refused with the line where it stands: aliases and anchors (a few lines of them can
// stand for gigabytes), tags, duplicate keys, keys that aren't plain words, deep nesting, a second document,
// very large files.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace hawser {

inline constexpr std::size_t kMaxYamlBytes = kMiB;
inline constexpr std::size_t kMaxYamlDepth = 16;
inline constexpr std::size_t kMaxYamlNodes = 100'000;

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMapping };
  struct Pair;

  Kind kind = Kind::kNull;
  int line = 1;         // counts from 1; of an empty value, a list or a mapping: its key's line
  bool quoted = false;  // scalars: '7401' is text, 7401 is a number
  std::string scalar;
  std::vector<YamlNode> items;  // sequences
  std::vector<Pair> pairs;      // mappings, in the file's order

  // The value of `key` in a mapping; null if there is none.
  const YamlNode* Find(const std::string& key) const;
};

struct YamlNode::Pair {
  std::string key;
  int line = 1;
  YamlNode value;
};

// EINVAL with "FILE:LINE: what is wrong; what to do". `path` is for messages only. Never throws.
Result<YamlNode> ParseYaml(const std::string& text, const std::string& path);

}  // namespace hawser
