// Strong types for the numbers and names that the parts exchange: one cannot be passed for another.
// The words are those of docs/GLOSSARY.md.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace hawser {

template <class Tag, class Rep>
struct Strong {
  Rep value{};

  constexpr Strong() = default;
  constexpr explicit Strong(Rep v) : value(std::move(v)) {}
  friend auto operator<=>(const Strong&, const Strong&) = default;
};

// A record's place in its consistency group's order: 1, 2, 3, ... without gaps. 0: before the first record.
using Sequence = Strong<struct SequenceTag, std::uint64_t>;
// A write group's number: 1, 2, 3, ... without gaps. 0: before the first group.
using Group = Strong<struct GroupTag, std::uint64_t>;
// The fencing number of a volume's primary. 0: no primary yet.
using Generation = Strong<struct GenerationTag, std::uint64_t>;
// Names a regular file or directory in a volume for its whole life: the number of the session that gave it in
// the upper 28 bits, a counter in the lower 36 (volume/store/file_ids.h). 0: a symlink or special file, which
// have no id (type and content identify them).
using FileId = Strong<struct FileIdTag, std::uint64_t>;
inline constexpr FileId kNoFileId{};
inline constexpr FileId kRootFileId{1};

using NodeName = Strong<struct NodeNameTag, std::string>;
using VolumeName = Strong<struct VolumeNameTag, std::string>;

template <class Tag, class Rep>
constexpr Strong<Tag, Rep> Next(Strong<Tag, Rep> id) {
  return Strong<Tag, Rep>(id.value + 1);
}

}  // namespace hawser

template <class Tag, class Rep>
struct std::hash<hawser::Strong<Tag, Rep>> {
  std::size_t operator()(const hawser::Strong<Tag, Rep>& id) const { return std::hash<Rep>{}(id.value); }
};
