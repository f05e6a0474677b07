#include "common/config/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace hawser {
namespace {

std::string Join(const KeyPath& keys) {
  std::string text;
  for (const auto& key : keys) text += (text.empty() ? "" : ".") + key;
  return text;
}

const Field* FindField(const std::vector<Field>& fields, const std::string& key) {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.key == key; });
  return found == fields.end() ? nullptr : &*found;
}

std::vector<std::string> KeysOf(const std::vector<Field>& fields) {
  std::vector<std::string> keys;
  for (const auto& field : fields) keys.push_back(field.key);
  return keys;
}

// Calls `visit` with each pair of the mapping at `place`.
template <class Visit>
Status EachPair(const YamlPlace& place, const std::string& wanted, Visit visit) {
  if (place.node.kind != YamlNode::Kind::kMapping) {
    return place.Wrong(place.Shown() + " stands where " + wanted +
                       " have to; write them indented below, or as { key: value }");
  }
  KeyPath keys = place.keys;
  for (const auto& pair : place.node.pairs) {
    keys.push_back(pair.key);
    place.source.Note(keys, pair.line);
    HAWSER_TRY(visit(pair, YamlPlace{pair.value, keys, place.source}));
    keys.pop_back();
  }
  return {};
}

// What to write instead of the unknown `key`.
std::string InsteadOf(const std::string& key, const std::vector<std::string>& known) {
  const auto colon = key.find(':');
  const auto glued =
      colon == std::string::npos ? known.end() : std::find(known.begin(), known.end(), key.substr(0, colon));
  if (glued == known.end()) return Suggestion(key, known);
  return fmt::format("; write a blank behind the colon: '{}: {}'", *glued, key.substr(colon + 1));
}

}  // namespace

Source::Source(std::string path) : path_(std::move(path)) {
  std::error_code failure;
  auto absolute = std::filesystem::absolute(path_, failure);
  if (failure) absolute = "/" / std::filesystem::path(path_);
  folder_ = absolute.lexically_normal().parent_path();
}

std::string Source::HostPath(const std::string& text) const {
  auto path = (std::filesystem::path(folder_) / text).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "/srv/docs/" is "/srv/docs"
  return path;
}

Error Source::WrongAt(int line, const KeyPath& keys, const std::string& what) const {
  const std::string place = keys.empty() ? "" : Join(keys) + ": ";
  return {EINVAL, path_ + ":" + std::to_string(line) + ": " + place + what};
}

Error Source::Wrong(KeyPath keys, const std::string& what) const {
  const KeyPath named = keys;
  while (!keys.empty() && !lines_.contains(keys)) keys.pop_back();
  return WrongAt(keys.empty() ? 1 : lines_.at(keys), named, what);
}

std::string YamlPlace::Shown() const {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kSequence:
      return "a list";
    case YamlNode::Kind::kMapping:
      return "a mapping";
    case YamlNode::Kind::kScalar:
      break;
  }
  constexpr std::size_t kShown = 80;
  return fmt::format("'{}{}'", node.scalar.substr(0, kShown), node.scalar.size() > kShown ? "..." : "");
}

Read Mapping(std::vector<Field> fields) {
  return [fields = std::move(fields)](const YamlPlace& place) -> Status {
    HAWSER_TRY(EachPair(place, "keys", [&](const YamlNode::Pair& pair, const YamlPlace& value) -> Status {
      if (const Field* field = FindField(fields, pair.key)) return field->read(value);
      return place.source.WrongAt(pair.line, place.keys,
                                  "unknown key '" + pair.key + "'" + InsteadOf(pair.key, KeysOf(fields)));
    }));
    for (const auto& field : fields) {
      if (field.requirement != kRequired || place.node.Find(field.key)) continue;
      return place.Wrong("'" + field.key + "' is missing; add it ('hawser init' writes a commented example)");
    }
    return {};
  };
}

Read NamedMapping(std::string what, std::function<Read(const std::string& name)> item) {
  return [what = std::move(what), item = std::move(item)](const YamlPlace& place) -> Status {
    const auto read_item = [&](const YamlNode::Pair& pair, const YamlPlace& value) -> Status {
      HAWSER_TRY(CheckName(value, pair.key));
      return item(pair.key)(value);
    };
    HAWSER_TRY(EachPair(place, what + "s by name", read_item));
    if (place.node.pairs.empty()) return place.Wrong("there is no " + what + "; name at least one");
    return {};
  };
}

Read List(std::function<Read()> item) {
  return [item = std::move(item)](const YamlPlace& place) -> Status {
    if (place.node.kind != YamlNode::Kind::kSequence) {
      return place.Wrong(place.Shown() + " stands where a list has to; write [one, two], or [] for none");
    }
    for (const auto& element : place.node.items)
      HAWSER_TRY(item()(YamlPlace{element, place.keys, place.source}));
    return {};
  };
}

}  // namespace hawser
