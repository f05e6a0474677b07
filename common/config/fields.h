// How keys of the config are declared: a table of fields, each with its name and where its value goes.
//
//   Mapping({{"address", Text(relay.address)}, {"journal", HostPath(relay.journal), kRequired}})
//
// A Read checks one value and stores it; its error is EINVAL with "FILE:LINE: key: what is wrong; what to
// do".
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "common/base/result.h"
#include "common/config/suggest.h"
#include "common/config/yaml_tree.h"

namespace hawser {

// A path of keys in the file, like nodes, alpha, state.
using KeyPath = std::vector<std::string>;

// The file that is read, and where in it each key stands (for rules about the whole, which look at values
// only).
class Source {
 public:
  explicit Source(std::string path);

  const std::string& path() const { return path_; }
  // `text` made absolute (relative to the file's folder) and normalised.
  std::string HostPath(const std::string& text) const;

  void Note(const KeyPath& keys, int line) { lines_[keys] = line; }
  // EINVAL at that key; at the nearest key above it if the file doesn't have it.
  Error Wrong(KeyPath keys, const std::string& what) const;
  Error WrongAt(int line, const KeyPath& keys, const std::string& what) const;

 private:
  std::string path_;
  std::string folder_;
  std::map<KeyPath, int> lines_;
};

// One value in the file.
struct YamlPlace {
  const YamlNode& node;
  const KeyPath& keys;
  Source& source;

  Error Wrong(const std::string& what) const { return source.WrongAt(node.line, keys, what); }
  // As text for a message: 'abc', nothing, a list, a mapping.
  std::string Shown() const;
};

// EINVAL unless `name` is 1 to 64 of A-Z a-z 0-9 . _ -
Status CheckName(const YamlPlace& place, const std::string& name);

using Read = std::function<Status(const YamlPlace&)>;

enum Requirement { kOptional, kRequired };
struct Field {
  std::string key;
  Read read;
  Requirement requirement = kOptional;
};

Read Mapping(std::vector<Field> fields);
// A mapping with names of the user's choice; `item` gives what to do with each. At least one.
Read NamedMapping(std::string what, std::function<Read(const std::string& name)> item);
Read List(std::function<Read()> item);

// Scalars (scalars.cc).
Read Text(std::string& into);
Read HostPath(std::string& into);
Read NameText(std::string& into);
Read Flag(bool& into);
Read Number(std::uint64_t min, std::uint64_t max, std::function<void(std::uint64_t)> store);
Read Port(std::uint16_t& into);
Read UserId(std::optional<std::uint32_t>& into);
Read Size(std::uint64_t& into, std::uint64_t least = 0);
Read Duration(std::chrono::milliseconds min, std::function<void(std::chrono::milliseconds)> store);
Read OneOf(const std::vector<std::string>& words, std::function<void(std::size_t index)> store);

template <class Tag>
Read Name(Strong<Tag, std::string>& into) {
  return NameText(into.value);
}

inline Read Flag(std::optional<bool>& into) {
  return [&into](const YamlPlace& place) { return Flag(into.emplace())(place); };
}

template <class Choice>
Read Choose(Choice& into, const std::vector<std::pair<std::string, Choice>>& choices) {
  std::vector<std::string> words;
  for (const auto& [word, choice] : choices) words.push_back(word);
  return OneOf(words, [&into, choices](std::size_t index) { into = choices[index].second; });
}

// NAME: { ... } of a map by name; `fields` declares the keys of one value.
template <class Key, class Value, class Fields>
Read Named(std::string what, std::map<Key, Value>& into, Fields fields) {
  return NamedMapping(std::move(what),
                      [&into, fields](const std::string& name) { return Mapping(fields(into[Key(name)])); });
}

template <class Item, class ReadItem>
Read ListOf(std::vector<Item>& into, ReadItem read_item) {
  return List([&into, read_item] { return read_item(into.emplace_back()); });
}

}  // namespace hawser
