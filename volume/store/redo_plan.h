// What the records to be redone do to the tree of names: known before the first of them is applied.
//
// The checkpoint's tree is not there to be looked at; the store may be ahead of it. But whatever the records
// don't touch is the same in both, and of what they touch they say by id what it was. So the plan follows all
// records on a tree of its own, which grows as their paths lead through it. With it, each record's path
// becomes an entry of a directory that is known by id, whatever that directory is called now.
//
// Memory: by the nodes that the records name and the directories above them.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/record/record.h"

namespace hawser {

struct PlanNode;

// A directory entry, by the directory itself.
struct PlanEntry {
  PlanNode* parent = nullptr;
  std::string name;

  friend bool operator==(const PlanEntry&, const PlanEntry&) = default;
};

struct PlanNode {
  // kNoFileId: a value (symlink or special file), or a directory that no record touches, until it was looked
  // at.
  FileId id;
  bool created = false;            // by one of the records
  std::vector<PlanEntry> entries;  // every entry that it has at some time, as far as known, in order
  std::vector<char> onto_value;    // for each of them: whether a value was there before
  std::uint64_t names = 0;         // those that it has in the end
  std::uint64_t mentions = 0;      // records still to be redone that place or remove it
  std::optional<Create> value;     // a value's content and attributes, once known

  // Directories. nullptr: no such entry. Not in it: as in the checkpoint, unless the directory was created.
  std::map<std::string, PlanNode*, std::less<>> children;
};

// A record's places.
struct PlannedRecord {
  PlanEntry entry;           // `path`; no parent: the root
  PlanEntry new_entry;       // `new_path`
  PlanNode* node = nullptr;  // what the record is about; data records: values only
  PlanNode* replaced = nullptr;
};

// What a record does to the values at its entries. nullptr: no value.
struct ValueStep {
  struct Change {
    PlanEntry entry;
    PlanNode* before;
    PlanNode* after;
  };
  std::vector<Change> changes;
};

class RedoPlan {
 public:
  RedoPlan();

  void Add(const Record& record);
  // The places of the records in the order they were added; each once.
  PlannedRecord Take();
  bool empty() const { return records_.empty(); }

  PlanNode* root() { return root_; }
  // The node with that id; nullptr: no record changes its names.
  PlanNode* Find(FileId id) const;
  // Whether some record is about that id.
  bool Mentions(FileId id) const { return ids_.contains(id); }
  // A directory that no record touches has been looked at.
  void Learn(PlanNode* directory, FileId id);

  // Values that were there before and get other names: their content has to be saved before it is moved
  // about. In the order in which they leave their first place.
  const std::vector<PlanNode*>& moving_values() const { return moving_values_; }
  // What happens to values, in order.
  const std::vector<ValueStep>& value_steps() const { return value_steps_; }

 private:
  PlanNode* New(FileId id);
  PlanNode* Walk(const StorePath& path);
  PlanNode* ChildOf(PlanNode* parent, std::string_view name);
  PlanEntry EntryOf(const StorePath& path);
  // The node at an entry, which has this id.
  PlanNode* NodeAt(const PlanEntry& entry, FileId id);
  void Enter(PlanNode* node, const PlanEntry& entry);
  void Leave(PlanNode* node, const PlanEntry& entry);
  void NoteMove(PlanNode* node);
  void NoteValues(const PlannedRecord& planned, const Body& body);
  PlannedRecord Plan(const Body& body);
  PlannedRecord PlanRename(const Rename& r);

  std::vector<std::unique_ptr<PlanNode>> nodes_;
  std::unordered_map<FileId, PlanNode*> by_id_;
  std::unordered_set<FileId> ids_;
  std::vector<PlanNode*> moving_values_;
  std::vector<ValueStep> value_steps_;
  PlanNode* root_;
  std::deque<PlannedRecord> records_;
};

}  // namespace hawser
