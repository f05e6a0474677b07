// A volume's content, modelled: enough of a tree that a record applied twice, too late, too early or not at
// all shows. Regular files in a few folders; content is words of 8 bytes. The real store has its own tests
// (tests/volume/store).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/base/result.h"
#include "common/record/record.h"

namespace hawser::sim {

struct ModelFile {
  std::string path;  // begins with kLimbo while it has no name (redo)
  std::vector<std::uint64_t> words;
  Timestamp mtime;
  std::uint32_t mode = 0;
  std::map<std::string, std::uint64_t> xattrs;

  FileState state() const { return {words.size() * sizeof(std::uint64_t), mtime}; }
};

inline constexpr char kLimbo = '.';

// What a record does, in steps that a disk may keep or lose one by one. All by id.
struct Place {  // the file gets this name; it is made if there is none
  FileId file;
  std::string path;
};
struct Remove {
  FileId file;
};
struct Names {  // in one piece, as rename(2) is
  std::vector<std::variant<Place, Remove>> steps;
};
struct SetWord {
  FileId file;
  std::uint64_t index;
  std::uint64_t value;
};
struct Resize {
  FileId file;
  std::uint64_t words;
};
struct SetTime {
  FileId file;
  Timestamp mtime;
};
struct SetMode {
  FileId file;
  std::uint32_t mode;
};
struct SetValue {
  FileId file;
  std::string name;
  std::uint64_t value;
};
using Effect = std::variant<Names, SetWord, Resize, SetTime, SetMode, SetValue>;

// Changes of names: a filesystem keeps them in order.
bool IsOfNames(const Effect& effect);

class Tree {
 public:
  const ModelFile* Find(FileId id) const;
  FileId At(const std::string& path) const;  // kNoFileId: nothing is there
  const std::map<FileId, ModelFile>& files() const { return files_; }

  void Do(const Effect& effect);

  // What the record does to this tree. kStoreDiverged if the tree isn't what the record expects (as
  // Store::Apply). `differs`: as ApplyTo::differs.
  Result<std::vector<Effect>> Effects(const Record& record, Bytes payload, bool differs = false) const;

  // Without these files, and whatever has one of these names.
  Tree Without(const std::set<FileId>& files, const std::set<std::string>& paths) const;

  // Of all that has a name.
  std::uint64_t Hash() const;
  std::string Text() const;

 private:
  void DoNames(const Names& names);

  std::map<FileId, ModelFile> files_;
};

// What a record that changes no names does to its file, wherever it is (as in redo).
std::vector<Effect> ContentEffects(const Body& body, Bytes payload);

// The call that a record is of: every record of the simulation says it in its time (SetXattr in its value).
// 0: none.
std::uint64_t CallOf(const Record& record, Bytes payload);

// Where two trees differ, in one line.
std::string Difference(const Tree& expected, const Tree& found);

}  // namespace hawser::sim
