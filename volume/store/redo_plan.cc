#include "volume/store/redo_plan.h"

#include <algorithm>

#include "common/record/kinds.h"

namespace hawser {

RedoPlan::RedoPlan() : root_(New(kRootFileId)) {}

void RedoPlan::Add(const Record& record) {
  records_.push_back(Plan(record.body));
  NoteValues(records_.back(), record.body);
}

void RedoPlan::NoteValues(const PlannedRecord& planned, const Body& body) {
  ValueStep step;
  const auto note = [&](const PlanEntry& entry, PlanNode* before, PlanNode* after) {
    if (before != nullptr || after != nullptr) step.changes.push_back({entry, before, after});
  };
  const auto remove = [&](FileId file) {
    note(planned.entry, file == kNoFileId ? planned.node : nullptr, nullptr);
  };
  std::visit(Overloaded{
                 [&](const Create& r) {
                   if (r.file == kNoFileId) note(planned.entry, nullptr, planned.node);
                 },
                 [&](const Link& r) {
                   if (r.file == kNoFileId) note(planned.new_entry, nullptr, planned.node);
                 },
                 [&](const Unlink& r) { remove(r.file); },
                 [&](const Rename& r) {
                   PlanNode* moved = r.file == kNoFileId ? planned.node : nullptr;
                   PlanNode* replaced = r.replaced == kNoFileId ? planned.replaced : nullptr;
                   note(planned.entry, moved, r.mode == RenameMode::kExchange ? replaced : nullptr);
                   note(planned.new_entry, replaced, moved);
                 },
                 [](const Rmdir&) {},  // a directory is no value
                 [](const OneOf<Write, Truncate, Allocate, SetAttr, SetXattr, RemoveXattr> auto&) {},
                 [](const ControlKind auto&) {},
             },
             body);
  if (!step.changes.empty()) value_steps_.push_back(std::move(step));
}

PlannedRecord RedoPlan::Take() {
  PlannedRecord planned = std::move(records_.front());
  records_.pop_front();
  if (planned.node != nullptr && planned.node->mentions > 0) --planned.node->mentions;
  if (planned.replaced != nullptr && planned.replaced->mentions > 0) --planned.replaced->mentions;
  return planned;
}

PlanNode* RedoPlan::Find(FileId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

void RedoPlan::Learn(PlanNode* directory, FileId id) {
  directory->id = id;
  by_id_.try_emplace(id, directory);
}

PlanNode* RedoPlan::New(FileId id) {
  PlanNode* node = nodes_.emplace_back(std::make_unique<PlanNode>()).get();
  node->id = id;
  if (id != kNoFileId) by_id_.emplace(id, node);
  return node;
}

PlanNode* RedoPlan::Walk(const StorePath& path) {
  PlanNode* node = root_;
  for (const std::string_view name : path.Components()) node = ChildOf(node, name);
  return node;
}

PlanNode* RedoPlan::ChildOf(PlanNode* parent, std::string_view name) {
  const auto known = parent->children.find(name);
  if (known != parent->children.end() && known->second != nullptr) return known->second;
  PlanNode* child = New(kNoFileId);
  Enter(child, {parent, std::string(name)});
  return child;
}

PlanEntry RedoPlan::EntryOf(const StorePath& path) {
  if (path.IsRoot()) return {};
  return {Walk(path.Parent()), std::string(path.Name())};
}

// The same file may have been met under another of its names before: both become one node.
PlanNode* RedoPlan::NodeAt(const PlanEntry& entry, FileId id) {
  const auto known = entry.parent->children.find(entry.name);
  PlanNode* there = known == entry.parent->children.end() ? nullptr : known->second;
  if (there != nullptr && there->id == id) return there;
  PlanNode* same = id == kNoFileId ? nullptr : Find(id);
  if (same == nullptr && there != nullptr && there->id == kNoFileId) {
    Learn(there, id);
    return there;
  }
  if (same == nullptr) same = New(id);
  Enter(same, entry);
  return same;
}

void RedoPlan::Enter(PlanNode* node, const PlanEntry& entry) {
  entry.parent->children[entry.name] = node;
  ++node->names;
  if (std::find(node->entries.begin(), node->entries.end(), entry) == node->entries.end())
    node->entries.push_back(entry);
}

void RedoPlan::Leave(PlanNode* node, const PlanEntry& entry) {
  entry.parent->children[entry.name] = nullptr;
  if (node->names > 0) --node->names;
}

void RedoPlan::NoteMove(PlanNode* node) {
  if (node->id != kNoFileId || node->created) return;
  if (std::find(moving_values_.begin(), moving_values_.end(), node) == moving_values_.end())
    moving_values_.push_back(node);
}

PlannedRecord RedoPlan::PlanRename(const Rename& r) {
  PlannedRecord planned;
  planned.entry = EntryOf(r.path);
  planned.new_entry = EntryOf(r.new_path);
  planned.node = NodeAt(planned.entry, r.file);
  if (r.replaced) {
    planned.replaced = NodeAt(planned.new_entry, *r.replaced);
    Leave(planned.replaced, planned.new_entry);
    ++planned.replaced->mentions;
  }
  Leave(planned.node, planned.entry);
  Enter(planned.node, planned.new_entry);
  ++planned.node->mentions;
  NoteMove(planned.node);
  if (r.mode == RenameMode::kExchange && planned.replaced != nullptr) {
    Enter(planned.replaced, planned.entry);
    NoteMove(planned.replaced);
  }
  return planned;
}

PlannedRecord RedoPlan::Plan(const Body& body) {
  ForEachFileId(body, [this](FileId id) { ids_.insert(id); });
  const auto data = [this](const auto& r) {
    PlannedRecord planned;
    planned.entry = EntryOf(r.path);
    if (r.file == kNoFileId) planned.node = NodeAt(planned.entry, kNoFileId);
    return planned;
  };
  const auto removal = [this](const auto& r) {
    PlannedRecord planned;
    planned.entry = EntryOf(r.path);
    planned.node = NodeAt(planned.entry, r.file);
    Leave(planned.node, planned.entry);
    ++planned.node->mentions;
    return planned;
  };
  return std::visit(Overloaded{
                        [&](const OneOf<Write, Truncate, Allocate> auto& r) { return data(r); },
                        [&](const Create& r) {
                          PlannedRecord planned;
                          planned.entry = EntryOf(r.path);
                          planned.node = New(r.file);
                          planned.node->created = true;
                          if (r.file == kNoFileId) planned.node->value = r;
                          Enter(planned.node, planned.entry);
                          ++planned.node->mentions;
                          return planned;
                        },
                        [&](const Link& r) {
                          PlannedRecord planned;
                          planned.entry = EntryOf(r.path);
                          planned.new_entry = EntryOf(r.new_path);
                          planned.node = NodeAt(planned.entry, r.file);
                          Enter(planned.node, planned.new_entry);
                          ++planned.node->mentions;
                          NoteMove(planned.node);
                          return planned;
                        },
                        [&](const OneOf<Unlink, Rmdir> auto& r) { return removal(r); },
                        [&](const Rename& r) { return PlanRename(r); },
                        [&](const OneOf<SetAttr, SetXattr, RemoveXattr> auto& r) { return data(r); },
                        [](const ControlKind auto&) { return PlannedRecord{}; },
                    },
                    body);
}

}  // namespace hawser
