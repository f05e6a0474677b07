#include "common/record/kinds.h"

namespace hawser {

namespace {

template <class... Rs>
consteval bool HaveNumbersOfTheirOwn(const std::variant<Rs...>*) {
  const std::uint64_t numbers[] = {Kind<Rs>::kNumber...};
  for (std::size_t i = 0; i < sizeof...(Rs); ++i) {
    for (std::size_t j = i + 1; j < sizeof...(Rs); ++j) {
      if (numbers[i] == numbers[j]) return false;
    }
  }
  return ((Kind<Rs>::kNumber != 0) && ...);
}
static_assert(HaveNumbersOfTheirOwn(static_cast<const Body*>(nullptr)));

template <class R>
concept HasFile = requires(const R& r) {
  { r.file } -> std::convertible_to<FileId>;
  { r.path } -> std::convertible_to<StorePath>;
};

template <class... Rs>
consteval bool NameAFileUnlessControl(const std::variant<Rs...>*) {
  return ((HasFile<Rs> == (Kind<Rs>::kEffect != TreeEffect::kControl)) && ...);
}
static_assert(NameAFileUnlessControl(static_cast<const Body*>(nullptr)));

template <class R>
using KindOf = Kind<std::decay_t<R>>;

}  // namespace

std::string_view KindName(const Body& body) {
  return std::visit([](const auto& r) { return KindOf<decltype(r)>::kName; }, body);
}

TreeEffect EffectOf(const Body& body) {
  return std::visit([](const auto& r) { return KindOf<decltype(r)>::kEffect; }, body);
}

std::optional<std::uint64_t> PayloadBytes(const Body& body) {
  return std::visit(
      [](const auto& r) -> std::optional<std::uint64_t> {
        constexpr PayloadRule kRule = KindOf<decltype(r)>::kPayload;
        if constexpr (kRule == PayloadRule::kLength) return r.length;
        if constexpr (kRule == PayloadRule::kAny) return std::nullopt;
        return 0;
      },
      body);
}

bool HasVolume(const Body& body) {
  return std::visit(
      [](const auto& r) {
        if constexpr (ControlKind<std::decay_t<decltype(r)>>) return KindOf<decltype(r)>::kHasVolume;
        return true;
      },
      body);
}

FileId FileOf(const Body& body) {
  return std::visit(
      [](const auto& r) {
        if constexpr (HasFile<std::decay_t<decltype(r)>>) return r.file;
        return kNoFileId;
      },
      body);
}

std::vector<StorePath> EntriesOf(const Body& body) {
  using Paths = std::vector<StorePath>;
  return std::visit(Overloaded{
                        [](const OneOf<Create, Unlink, Rmdir> auto& r) { return Paths{r.path}; },
                        [](const Link& r) { return Paths{r.new_path}; },
                        [](const Rename& r) {
                          return Paths{r.path, r.new_path};
                        },
                        [](const OneOf<Write, Truncate, Allocate> auto&) { return Paths{}; },
                        [](const OneOf<SetAttr, SetXattr, RemoveXattr> auto&) { return Paths{}; },
                        [](const ControlKind auto&) { return Paths{}; },
                    },
                    body);
}

std::string_view NameOf(NodeKind kind) {
  switch (kind) {
    case NodeKind::kRegular:
      return "file";
    case NodeKind::kDirectory:
      return "directory";
    case NodeKind::kSymlink:
      return "symlink";
    case NodeKind::kFifo:
      return "fifo";
    case NodeKind::kSocket:
      return "socket";
    case NodeKind::kCharDevice:
      return "char_device";
    case NodeKind::kBlockDevice:
      return "block_device";
  }
  return "?";
}

std::string_view NameOf(RenameMode mode) {
  switch (mode) {
    case RenameMode::kReplace:
      return "replace";
    case RenameMode::kNoReplace:
      return "noreplace";
    case RenameMode::kExchange:
      return "exchange";
  }
  return "?";
}

}  // namespace hawser
