#include "tests/sim/tree.h"

#include <fmt/format.h>

#include <cstring>

#include "common/record/kinds.h"
#include "volume/store/store.h"

namespace hawser::sim {

namespace {

Error Diverged(const std::string& why) { return {kStoreDiverged, why}; }

std::vector<std::uint64_t> Words(Bytes payload) {
  std::vector<std::uint64_t> words(payload.size() / sizeof(std::uint64_t));
  if (!words.empty()) std::memcpy(words.data(), payload.data(), words.size() * sizeof(std::uint64_t));
  return words;
}

std::uint64_t ValueOf(Bytes payload) {
  const auto words = Words(payload);
  return words.empty() ? 0 : words.front();
}

void AddWords(const Write& r, Bytes payload, std::vector<Effect>& effects) {
  std::uint64_t index = r.offset / sizeof(std::uint64_t);
  for (const std::uint64_t word : Words(payload)) effects.push_back(SetWord{r.file, index++, word});
  effects.push_back(SetTime{r.file, r.mtime});
}

void AddAttributes(const SetAttr& r, std::vector<Effect>& effects) {
  if (r.mode) effects.push_back(SetMode{r.file, *r.mode});
  if (r.mtime) effects.push_back(SetTime{r.file, *r.mtime});
}

std::uint64_t WordsAfter(const Write& r) {
  return std::max(r.before.size, r.offset + r.length) / sizeof(std::uint64_t);
}

void Mix(std::uint64_t& hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15;
  hash ^= hash >> 29;
}

void Mix(std::uint64_t& hash, const std::string& text) {
  Mix(hash, text.size());
  for (const char c : text) Mix(hash, static_cast<unsigned char>(c));
}

std::string Text(FileId id, const ModelFile& file) {
  std::string text = fmt::format("'{}' id {:x} mode {:o} mtime {} words [{}]", file.path, id.value, file.mode,
                                 file.mtime.nanoseconds, fmt::join(file.words, " "));
  for (const auto& [name, value] : file.xattrs) text += fmt::format(" {}={}", name, value);
  return text;
}

}  // namespace

bool IsOfNames(const Effect& effect) { return std::holds_alternative<Names>(effect); }

const ModelFile* Tree::Find(FileId id) const {
  const auto found = files_.find(id);
  return found == files_.end() ? nullptr : &found->second;
}

FileId Tree::At(const std::string& path) const {
  for (const auto& [id, file] : files_) {
    if (file.path == path) return id;
  }
  return kNoFileId;
}

void Tree::DoNames(const Names& names) {
  for (const auto& step : names.steps) {
    if (const auto* place = std::get_if<Place>(&step)) files_[place->file].path = place->path;
    if (const auto* remove = std::get_if<Remove>(&step)) files_.erase(remove->file);
  }
}

void Tree::Do(const Effect& effect) {
  const auto file = [this](FileId id) -> ModelFile* {
    const auto found = files_.find(id);
    return found == files_.end() ? nullptr : &found->second;
  };
  std::visit(Overloaded{
                 [&](const Names& e) { DoNames(e); },
                 [&](const SetWord& e) {
                   ModelFile* it = file(e.file);
                   if (it == nullptr) return;
                   if (it->words.size() <= e.index) it->words.resize(e.index + 1);
                   it->words[e.index] = e.value;
                 },
                 [&](const Resize& e) {
                   if (ModelFile* it = file(e.file)) it->words.resize(e.words);
                 },
                 [&](const SetTime& e) {
                   if (ModelFile* it = file(e.file)) it->mtime = e.mtime;
                 },
                 [&](const SetMode& e) {
                   if (ModelFile* it = file(e.file)) it->mode = e.mode;
                 },
                 [&](const SetValue& e) {
                   if (ModelFile* it = file(e.file)) it->xattrs[e.name] = e.value;
                 },
             },
             effect);
}

Tree Tree::Without(const std::set<FileId>& files, const std::set<std::string>& paths) const {
  Tree rest = *this;
  std::erase_if(rest.files_, [&](const auto& entry) {
    return files.contains(entry.first) || paths.contains(entry.second.path);
  });
  return rest;
}

Result<std::vector<Effect>> Tree::Effects(const Record& record, Bytes payload, bool differs) const {
  std::vector<Effect> effects;
  const auto check = [&](FileId id, const StorePath& path) -> Status {
    const FileId there = At(path.text());
    if (there == id) return {};
    if (differs && there == kNoFileId) return Error{ENOENT, fmt::format("'{}' is missing", path.text())};
    return Diverged(
        fmt::format("id {:x} belongs at '{}', but id {:x} is there", id.value, path.text(), there.value));
  };
  const auto check_state = [&](FileId id, const StorePath& path, const FileState& before) -> Status {
    HAWSER_TRY(check(id, path));
    const FileState state = Find(id)->state();
    if (state == before || differs) return {};
    return Diverged(fmt::format("'{}' (id {:x}) has {} bytes and mtime {}, not {} and {}", path.text(),
                                id.value, state.size, state.mtime.nanoseconds, before.size,
                                before.mtime.nanoseconds));
  };
  const auto nothing_at = [this](const StorePath& path) -> Status {
    const FileId there = At(path.text());
    if (there == kNoFileId) return {};
    return Diverged(fmt::format("'{}' is taken by id {:x}", path.text(), there.value));
  };
  const auto done =
      std::visit(Overloaded{
                     [&](const Write& r) -> Status {
                       HAWSER_TRY(check_state(r.file, r.path, r.before));
                       AddWords(r, payload, effects);
                       return {};
                     },
                     [&](const Truncate& r) -> Status {
                       HAWSER_TRY(check_state(r.file, r.path, r.before));
                       effects.push_back(Resize{r.file, r.size / sizeof(std::uint64_t)});
                       effects.push_back(SetTime{r.file, r.mtime});
                       return {};
                     },
                     [&](const Create& r) -> Status {
                       HAWSER_TRY(nothing_at(r.path));
                       if (Find(r.file) != nullptr)
                         return Diverged(fmt::format("id {:x} is there already", r.file.value));
                       effects.push_back(Names{{Place{r.file, r.path.text()}}});
                       effects.push_back(SetMode{r.file, r.mode});
                       effects.push_back(SetTime{r.file, r.time});
                       return {};
                     },
                     [&](const Unlink& r) -> Status {
                       HAWSER_TRY(check(r.file, r.path));
                       effects.push_back(Names{{Remove{r.file}}});
                       return {};
                     },
                     [&](const Rename& r) -> Status {
                       HAWSER_TRY(check(r.file, r.path));
                       const Status replaced = check(r.replaced.value_or(kNoFileId), r.new_path);
                       const bool may_lack =
                           r.mode != RenameMode::kExchange && !replaced && replaced.error().code == ENOENT;
                       if (!may_lack) HAWSER_TRY(Status(replaced));
                       Names names;
                       if (r.replaced && r.mode == RenameMode::kExchange) {
                         names.steps.push_back(Place{*r.replaced, r.path.text()});
                       } else if (r.replaced && replaced) {
                         names.steps.push_back(Remove{*r.replaced});
                       }
                       names.steps.push_back(Place{r.file, r.new_path.text()});
                       effects.push_back(std::move(names));
                       return {};
                     },
                     [&](const SetAttr& r) -> Status {
                       HAWSER_TRY(check(r.file, r.path));
                       AddAttributes(r, effects);
                       return {};
                     },
                     [&](const SetXattr& r) -> Status {
                       HAWSER_TRY(check(r.file, r.path));
                       effects.push_back(SetValue{r.file, r.name, ValueOf(payload)});
                       return {};
                     },
                     [](const OneOf<Allocate, Link, Rmdir, RemoveXattr> auto&) -> Status {
                       return Error{ENOTSUP, "the model doesn't know this kind"};
                     },
                     [](const ControlKind auto&) -> Status { return {}; },
                 },
                 record.body);
  if (!done) return done.error();
  return effects;
}

std::vector<Effect> ContentEffects(const Body& body, Bytes payload) {
  std::vector<Effect> effects;
  std::visit(Overloaded{
                 [&](const Write& r) {
                   effects.push_back(Resize{r.file, WordsAfter(r)});
                   AddWords(r, payload, effects);
                 },
                 [&](const Truncate& r) {
                   effects.push_back(Resize{r.file, r.size / sizeof(std::uint64_t)});
                   effects.push_back(SetTime{r.file, r.mtime});
                 },
                 [&](const SetAttr& r) { AddAttributes(r, effects); },
                 [&](const SetXattr& r) {
                   effects.push_back(SetValue{r.file, r.name, ValueOf(payload)});
                 },
                 [](const OneOf<Create, Link, Unlink, Rmdir, Rename> auto&) {},
                 [](const OneOf<Allocate, RemoveXattr> auto&) {},
                 [](const ControlKind auto&) {},
             },
             body);
  return effects;
}

std::uint64_t Tree::Hash() const {
  std::uint64_t hash = 1;
  for (const auto& [id, file] : files_) {
    if (file.path.front() == kLimbo) continue;
    Mix(hash, id.value);
    Mix(hash, file.path);
    for (const std::uint64_t word : file.words) Mix(hash, word);
    Mix(hash, file.words.size());
    Mix(hash, static_cast<std::uint64_t>(file.mtime.nanoseconds));
    Mix(hash, file.mode);
    for (const auto& [name, value] : file.xattrs) {
      Mix(hash, name);
      Mix(hash, value);
    }
  }
  return hash;
}

std::string Tree::Text() const {
  std::string text;
  for (const auto& [id, file] : files_) text += sim::Text(id, file) + "\n";
  return text;
}

std::uint64_t CallOf(const Record& record, Bytes payload) {
  const auto call = [](Timestamp time) { return static_cast<std::uint64_t>(time.nanoseconds); };
  return std::visit(
      Overloaded{
          [&](const OneOf<Write, Truncate, Allocate> auto& r) { return call(r.mtime); },
          [&](const OneOf<Create, Link, Unlink, Rmdir, Rename> auto& r) { return call(r.time); },
          [&](const SetAttr& r) { return r.mtime ? call(*r.mtime) : 0; },
          [&](const SetXattr&) { return ValueOf(payload); },
          [](const RemoveXattr&) { return std::uint64_t{0}; },
          [](const ControlKind auto&) { return std::uint64_t{0}; },
      },
      record.body);
}

std::string Difference(const Tree& expected, const Tree& found) {
  for (const auto& [id, file] : expected.files()) {
    const ModelFile* other = found.Find(id);
    if (other == nullptr) return fmt::format("missing: {}", Text(id, file));
    if (Text(id, file) != Text(id, *other))
      return fmt::format("expected {}, found {}", Text(id, file), Text(id, *other));
  }
  for (const auto& [id, file] : found.files()) {
    if (expected.Find(id) == nullptr && file.path.front() != kLimbo)
      return fmt::format("too much: {}", Text(id, file));
  }
  return "nothing";
}

}  // namespace hawser::sim
