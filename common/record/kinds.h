// What each kind of record is, said once: its number, its name, what it does to a tree, its payload, its
// fields.
//
// Whoever needs to know something about all kinds derives it from here, or visits the body with an overload
// for every kind and no default. So a kind that some part forgot does not compile.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include "common/record/record.h"

namespace hawser {

// What a record does to its volume's tree. All but control records name a file and a path, and nodes may send
// no others.
enum class TreeEffect : std::uint8_t {
  kContent,     // changes what is in a file
  kAttributes,  // changes a node's mode, owner, times or xattrs
  kMakesName,   // a path that held nothing holds a node
  kTakesName,   // a path holds nothing any more
  kMovesName,   // a node is at another path; what was there is gone, or has changed places with it
  kControl,     // nothing: it is the relay's own, and about the order itself
};

enum class PayloadRule : std::uint8_t {
  kNone,
  kLength,  // as many bytes as the record's `length` says
  kAny,
};

template <class R, class T>
struct Field {
  const char* name;
  T R::*member;
};
template <class R, class T>
Field(const char*, T R::*) -> Field<R, T>;

// Described below for each kind. The numbers stand on the wire and on disk: never reuse one; 32 to 47 are
// kept for sync and digest records. The fields stand there in the order of `kFields`.
template <class R>
struct Kind;

template <>
struct Kind<Write> {
  static constexpr std::uint64_t kNumber = 1;
  static constexpr const char* kName = "write";
  static constexpr TreeEffect kEffect = TreeEffect::kContent;
  static constexpr PayloadRule kPayload = PayloadRule::kLength;
  static constexpr std::tuple kFields{Field{"file", &Write::file},     Field{"path", &Write::path},
                                      Field{"offset", &Write::offset}, Field{"length", &Write::length},
                                      Field{"before", &Write::before}, Field{"mtime", &Write::mtime},
                                      Field{"mode", &Write::mode}};
};

template <>
struct Kind<Truncate> {
  static constexpr std::uint64_t kNumber = 2;
  static constexpr const char* kName = "truncate";
  static constexpr TreeEffect kEffect = TreeEffect::kContent;
  static constexpr PayloadRule kPayload = PayloadRule::kNone;
  static constexpr std::tuple kFields{Field{"file", &Truncate::file},   Field{"path", &Truncate::path},
                                      Field{"size", &Truncate::size},   Field{"before", &Truncate::before},
                                      Field{"mtime", &Truncate::mtime}, Field{"mode", &Truncate::mode}};
};

template <>
struct Kind<Allocate> {
  static constexpr std::uint64_t kNumber = 3;
  static constexpr const char* kName = "allocate";
  static constexpr TreeEffect kEffect = TreeEffect::kContent;
  static constexpr PayloadRule kPayload = PayloadRule::kNone;
  static constexpr std::tuple kFields{Field{"file", &Allocate::file},     Field{"path", &Allocate::path},
                                      Field{"flags", &Allocate::flags},   Field{"offset", &Allocate::offset},
                                      Field{"length", &Allocate::length}, Field{"before", &Allocate::before},
                                      Field{"mtime", &Allocate::mtime},   Field{"mode", &Allocate::mode}};
};

template <>
struct Kind<Create> {
  static constexpr std::uint64_t kNumber = 4;
  static constexpr const char* kName = "create";
  static constexpr TreeEffect kEffect = TreeEffect::kMakesName;
  static constexpr PayloadRule kPayload = PayloadRule::kNone;
  static constexpr std::tuple kFields{Field{"file", &Create::file},
                                      Field{"path", &Create::path},
                                      Field{"node_kind", &Create::kind},
                                      Field{"mode", &Create::mode},
                                      Field{"uid", &Create::uid},
                                      Field{"gid", &Create::gid},
                                      Field{"device", &Create::device},
                                      Field{"target", &Create::target},
                                      Field{"time", &Create::time},
                                      Field{"access_acl", &Create::access_acl},
                                      Field{"default_acl", &Create::default_acl}};
};

template <>
struct Kind<Link> {
  static constexpr std::uint64_t kNumber = 5;
  static constexpr const char* kName = "link";
  static constexpr TreeEffect kEffect = TreeEffect::kMakesName;
  static constexpr PayloadRule kPayload = PayloadRule::kNone;
  static constexpr std::tuple kFields{Field{"file", &Link::file}, Field{"path", &Link::path},
                                      Field{"new_path", &Link::new_path}, Field{"time", &Link::time}};
};

template <>
struct Kind<Unlink> {
  static constexpr std::uint64_t kNumber = 6;
  static constexpr const char* kName = "unlink";
  static constexpr TreeEffect kEffect = TreeEffect::kTakesName;
  static constexpr PayloadRule kPayload = PayloadRule::kNone;
  static constexpr std::tuple kFields{Field{"file", &Unlink::file}, Field{"path", &Unlink::path},
                                      Field{"time", &Unlink::time}};
};

template <>
struct Kind<Rmdir> {
  static constexpr std::uint64_t kNumber = 7;
  static constexpr const char* kName = "rmdir";
  static constexpr TreeEffect kEffect = TreeEffect::kTakesName;
  static constexpr PayloadRule kPayload = PayloadRule::kNone;
  static constexpr std::tuple kFields{Field{"file", &Rmdir::file}, Field{"path", &Rmdir::path},
                                      Field{"time", &Rmdir::time}};
};

template <>
struct Kind<Rename> {
  static constexpr std::uint64_t kNumber = 8;
  static constexpr const char* kName = "rename";
  static constexpr TreeEffect kEffect = TreeEffect::kMovesName;
  static constexpr PayloadRule kPayload = PayloadRule::kNone;
  static constexpr std::tuple kFields{
      Field{"file", &Rename::file},         Field{"path", &Rename::path},
      Field{"new_path", &Rename::new_path}, Field{"rename_mode", &Rename::mode},
      Field{"replaced", &Rename::replaced}, Field{"time", &Rename::time},
      Field{"mtime", &Rename::mtime},       Field{"replaced_mtime", &Rename::replaced_mtime}};
};

template <>
struct Kind<SetAttr> {
  static constexpr std::uint64_t kNumber = 9;
  static constexpr const char* kName = "setattr";
  static constexpr TreeEffect kEffect = TreeEffect::kAttributes;
  static constexpr PayloadRule kPayload = PayloadRule::kNone;
  static constexpr std::tuple kFields{Field{"file", &SetAttr::file},  Field{"path", &SetAttr::path},
                                      Field{"mode", &SetAttr::mode},  Field{"uid", &SetAttr::uid},
                                      Field{"gid", &SetAttr::gid},    Field{"atime", &SetAttr::atime},
                                      Field{"mtime", &SetAttr::mtime}};
};

template <>
struct Kind<SetXattr> {
  static constexpr std::uint64_t kNumber = 10;
  static constexpr const char* kName = "setxattr";
  static constexpr TreeEffect kEffect = TreeEffect::kAttributes;
  static constexpr PayloadRule kPayload = PayloadRule::kAny;
  static constexpr std::tuple kFields{Field{"file", &SetXattr::file}, Field{"path", &SetXattr::path},
                                      Field{"name", &SetXattr::name}};
};

template <>
struct Kind<RemoveXattr> {
  static constexpr std::uint64_t kNumber = 11;
  static constexpr const char* kName = "removexattr";
  static constexpr TreeEffect kEffect = TreeEffect::kAttributes;
  static constexpr PayloadRule kPayload = PayloadRule::kNone;
  static constexpr std::tuple kFields{Field{"file", &RemoveXattr::file}, Field{"path", &RemoveXattr::path},
                                      Field{"name", &RemoveXattr::name}};
};

template <>
struct Kind<Promote> {
  static constexpr std::uint64_t kNumber = 16;
  static constexpr const char* kName = "promote";
  static constexpr TreeEffect kEffect = TreeEffect::kControl;
  static constexpr PayloadRule kPayload = PayloadRule::kNone;
  static constexpr bool kHasVolume = true;
  static constexpr std::tuple kFields{Field{"node", &Promote::node}, Field{"previous", &Promote::previous},
                                      Field{"acknowledged", &Promote::acknowledged},
                                      Field{"planned", &Promote::planned},
                                      Field{"attempt", &Promote::attempt}};
};

template <>
struct Kind<Mark> {
  static constexpr std::uint64_t kNumber = 17;
  static constexpr const char* kName = "mark";
  static constexpr TreeEffect kEffect = TreeEffect::kControl;
  static constexpr PayloadRule kPayload = PayloadRule::kNone;
  static constexpr bool kHasVolume = true;
  static constexpr std::tuple kFields{Field{"text", &Mark::text}};
};

template <>
struct Kind<NodeSession> {
  static constexpr std::uint64_t kNumber = 18;
  static constexpr const char* kName = "session";
  static constexpr TreeEffect kEffect = TreeEffect::kControl;
  static constexpr PayloadRule kPayload = PayloadRule::kNone;
  static constexpr bool kHasVolume = false;
  static constexpr std::tuple kFields{Field{"answered", &NodeSession::answered},
                                      Field{"incarnation", &NodeSession::incarnation},
                                      Field{"start", &NodeSession::start}};
};

// For an overload that several kinds share: `[](const OneOf<Unlink, Rmdir> auto& r) { ... }`.
template <class R, class... Kinds>
concept OneOf = (std::same_as<R, Kinds> || ...);

// For one overload for all that is a mutation, or that isn't one.
template <class R>
concept ControlKind = Kind<R>::kEffect == TreeEffect::kControl;
template <class R>
concept MutationKind = !ControlKind<R>;

template <class R>
inline constexpr std::size_t kFieldCount = std::tuple_size_v<decltype(Kind<R>::kFields)>;

// `r` is of a kind, const or not. Calls `f(name, field)` for each of its fields, in order.
template <class R, class F>
void ForEachField(R& r, F&& f) {
  std::apply([&](const auto&... field) { (f(field.name, r.*(field.member)), ...); },
             Kind<std::remove_const_t<R>>::kFields);
}

TreeEffect EffectOf(const Body& body);

// Not a mutation of a tree.
inline bool IsControl(const Body& body) { return EffectOf(body) == TreeEffect::kControl; }

// Whether the record is about one volume, which it names; only control records need not be.
bool HasVolume(const Body& body);

// Whether something is no longer found at a path afterwards.
inline bool TakesNames(const Body& body) {
  const TreeEffect effect = EffectOf(body);
  return effect == TreeEffect::kTakesName || effect == TreeEffect::kMovesName;
}

// The node that the record is about. kNoFileId: a symlink or special file without an id, or a control record.
FileId FileOf(const Body& body);

// The paths, as they were before it, of the directory entries that the record makes, takes away or makes
// lead elsewhere.
std::vector<StorePath> EntriesOf(const Body& body);

// Calls `f(value)` for each field of the type Value, those that are optional where they are set.
// `body` is const or not.
template <class Value, class B, class F>
requires std::same_as<std::remove_const_t<B>, Body>
void ForEachValue(B& body, F&& f) {
  const auto visit_field = [&](const char*, auto& field) {
    using T = std::decay_t<decltype(field)>;
    if constexpr (std::is_same_v<T, Value>) f(field);
    if constexpr (std::is_same_v<T, std::optional<Value>>) {
      if (field) f(*field);
    }
  };
  std::visit([&](auto& r) { ForEachField(r, visit_field); }, body);
}

// For each path that the record names, as its paths were before it; none in control records.
template <class F>
void ForEachPath(const Body& body, F&& f) {
  ForEachValue<StorePath>(body, f);
}

// For each file id in the record, kNoFileId too.
template <class B, class F>
void ForEachFileId(B& body, F&& f) {
  ForEachValue<FileId>(body, f);
}

// For each time that the record sets; not for what it names as having been before.
template <class F>
void ForEachTime(Body& body, F&& f) {
  ForEachValue<Timestamp>(body, f);
}

// One word, or two with a line between.
std::string_view NameOf(NodeKind kind);
std::string_view NameOf(RenameMode mode);

}  // namespace hawser
