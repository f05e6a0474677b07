// A store's real tree as redo handles it: directories and files found by what the plan knows of them,
// wherever they are now, entries made to hold what they must, and nothing lost on the way: what loses its
// last name is kept in a hidden folder of the root until the end of redo, under its id. If the store has
// refused to give it its place, it is left there with the end of redo: it is needed when all is redone once
// more, and may be taken then.
#pragma once

#include <array>
#include <map>
#include <set>

#include "volume/store/owner_access.h"
#include "volume/store/redo_entries.h"
#include "volume/store/redo_plan.h"
#include "volume/store/store.h"

namespace hawser {

class RedoTree {
 public:
  // What an interrupted redo has left in the hidden folder counts too.
  RedoTree(Store& store, RedoPlan& plan) : store_(store), plan_(plan) {}
  Status Open();
  // What the record at hand is about: these have no place yet. Either may be null.
  void Moves(const PlanNode* node, const PlanNode* replaced) { moved_ = {node, replaced}; }
  // Folders have their own modes again, which were in the owner's way.
  void CloseFolders() { access_.Restore(); }

  // Opening gives an O_PATH descriptor, or an empty one if it is nowhere. A directory is then open to its
  // owner until CloseFolders().
  Result<UniqueFd> OpenDirectory(PlanNode* directory);
  // By the entry if that holds this id, else wherever the file is.
  Result<UniqueFd> OpenNode(FileId id, const PlanEntry& entry);
  // A value by its entry: empty if there is none.
  Result<UniqueFd> OpenValue(const PlanEntry& entry);

  // A directory for what has no place at present, and a node's name in it.
  Result<int> Limbo();
  static std::string LimboName(FileId id);
  void NoteInLimbo(FileId id) { in_limbo_[id] = LimboName(id); }

  // Whether the node is anywhere.
  Result<bool> Exists(PlanNode* node);
  // Makes `entry` hold the node (file or directory). `from`: where it most likely is; it moves away from
  // there if `move`. Whether the entry holds it now: a node that is nowhere isn't made, and one whose
  // directory is gone stays where it is.
  Result<bool> Place(PlanNode* node, const PlanEntry& entry, const PlanEntry& from, bool move);
  // If the entry holds that node, it no longer does.
  Status Vacate(PlanNode* node, const PlanEntry& entry);
  // Whether the entry holds anything.
  Result<bool> Holds(const PlanEntry& entry);
  // Makes an entry of an open directory free. `but`: what may stay. `adoptable`: true leaves an empty node of
  // that kind that has no id.
  Status Displace(int directory, const std::string& name, FileId but, std::optional<NodeKind> adoptable = {});

  // Content and attributes of a value as it is now.
  Result<std::optional<Create>> ReadValue(const PlanEntry& entry);
  // Keeps a value until the end of redo, also if redo is interrupted, under a number; and what was kept under
  // it.
  Status KeepValue(const PlanEntry& entry, std::size_t number);
  Result<std::optional<Create>> KeptValue(std::size_t number);

  // Removes what has no name any more. `differs`: what should have one is left there, for a later redo to
  // find.
  Status Empty(bool differs);
  // What was left.
  Status RemoveLeft();
  // The folder for what has no place, if there is nothing in it.
  void RemoveFolderIfEmpty();

 private:
  // A place where a node really is.
  struct Spot {
    UniqueFd parent;
    std::string name;
    bool in_limbo = false;
    bool is_hint = false;  // where it was looked for first

    explicit operator bool() const { return static_cast<bool>(parent); }
  };

  bool MayBeSetAside(const PlanNode* node) const;
  Result<UniqueFd> OpenClosed(PlanNode* directory);
  Result<Spot> Look(const PlanEntry& entry, FileId id);
  Result<Spot> Find(PlanNode* node, const PlanEntry& hint);
  Result<Spot> LookInLimbo(FileId id);
  Status CollectFiles();
  Status CollectFilesIn(int directory);
  Status PlaceDirectory(const Spot& spot, PlanNode* node, int to, const std::string& name);
  Status BreakCycle(PlanNode* node, int to);
  Status ToLimbo(int directory, const std::string& name, FileId id);
  Status RemoveLast(int directory, const std::string& name, PlanNode* node, const struct stat& info);
  Status OpenFolder();
  Status RemoveFolder();
  Status RemoveFromLimbo(const std::string& name, bool differs);
  Status LeaveInLimbo(const std::string& name);
  static Result<Create> ReadValueAt(int fd);
  Error Unaccounted(const std::string& name, const std::string& what) const;

  Store& store_;
  RedoPlan& plan_;
  UniqueFd limbo_;
  std::map<FileId, std::string> in_limbo_;  // under which names
  std::set<const PlanNode*> being_looked_for_;
  std::array<const PlanNode*, 2> moved_{};
  bool collected_ = false;
  FolderAccess access_;
};

}  // namespace hawser
