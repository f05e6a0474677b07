#include "volume/store/redo_tree.h"

#include <fmt/format.h>
#include <unistd.h>

#include "volume/store/redo.h"

namespace hawser {

Error RedoTree::Unaccounted(const std::string& name, const std::string& what) const {
  return {kStoreDiverged, fmt::format("'{}' of volume {} {}: the journal doesn't account for it", name,
                                      store_.volume().value, what)};
}

Result<UniqueFd> RedoTree::OpenDirectory(PlanNode* directory) {
  auto opened = OpenClosed(directory);
  if (opened && *opened) access_.Lift(opened->get());
  return opened;
}

Result<UniqueFd> RedoTree::OpenClosed(PlanNode* directory) {
  if (directory == plan_.root()) return OpenEntry(store_.root_fd(), ".", O_PATH | O_DIRECTORY);
  if (directory->id == kNoFileId) {
    // Touched by no record, it is where it always was in its parent.
    const PlanEntry& entry = directory->entries.front();
    HAWSER_ASSIGN(const UniqueFd parent, OpenDirectory(entry.parent));
    if (!parent) return UniqueFd();
    HAWSER_ASSIGN(Occupant occupant, OccupantOf(parent.get(), entry.name));
    if (!occupant || occupant.id == kNoFileId) return UniqueFd();
    plan_.Learn(directory, occupant.id);
    return std::move(occupant.fd);
  }
  HAWSER_ASSIGN(const Spot spot, Find(directory, {}));
  if (!spot) return UniqueFd();
  return OpenEntry(spot.parent.get(), spot.name, O_PATH | O_DIRECTORY);
}

Result<RedoTree::Spot> RedoTree::Look(const PlanEntry& entry, FileId id) {
  if (entry.parent == nullptr) return Spot{};
  HAWSER_ASSIGN(UniqueFd parent, OpenDirectory(entry.parent));
  if (!parent) return Spot{};
  HAWSER_ASSIGN(const Occupant occupant, OccupantOf(parent.get(), entry.name));
  if (!occupant || occupant.id != id) return Spot{};
  return Spot{std::move(parent), entry.name};
}

// The newest known place first. Directories are looked for through their parents, which may, by places that
// they had at different times, lead back to where the search began; the real tree has no such circles.
Result<RedoTree::Spot> RedoTree::Find(PlanNode* node, const PlanEntry& hint) {
  if (node->id == kNoFileId || !being_looked_for_.insert(node).second) return Spot{};
  struct Done {
    std::set<const PlanNode*>& set;
    const PlanNode* node;
    ~Done() { set.erase(node); }
  } const done{being_looked_for_, node};
  HAWSER_ASSIGN(Spot spot, Look(hint, node->id));
  if (spot) spot.is_hint = true;
  for (auto entry = node->entries.rbegin(); !spot && entry != node->entries.rend(); ++entry) {
    HAWSER_ASSIGN(spot, Look(*entry, node->id));
  }
  if (!spot) return LookInLimbo(node->id);
  return spot;
}

Result<UniqueFd> RedoTree::OpenNode(FileId id, const PlanEntry& entry) {
  if (entry.parent == nullptr) return OpenEntry(store_.root_fd(), ".", O_PATH);
  HAWSER_ASSIGN(Spot spot, Look(entry, id));
  PlanNode* node = plan_.Find(id);
  if (!spot && node != nullptr) {
    HAWSER_ASSIGN(spot, Find(node, {}));
  }
  if (!spot && (node == nullptr || !node->created)) {
    HAWSER_TRY(CollectFiles());
    HAWSER_ASSIGN(spot, LookInLimbo(id));
  }
  if (spot) return OpenEntry(spot.parent.get(), spot.name, O_PATH);
  if (node == nullptr) return Unaccounted(entry.name, fmt::format("(file id {:x}) is missing", id.value));
  return UniqueFd();
}

Result<UniqueFd> RedoTree::OpenValue(const PlanEntry& entry) {
  HAWSER_ASSIGN(const UniqueFd parent, OpenDirectory(entry.parent));
  if (!parent) return UniqueFd();
  HAWSER_ASSIGN(Occupant occupant, OccupantOf(parent.get(), entry.name));
  if (!occupant || !occupant.is_value()) return UniqueFd();
  return std::move(occupant.fd);
}

// A file that lost the names that the records tell may have others: one walk gives every file that they are
// about a name in limbo, where it is found from then on.
Status RedoTree::CollectFiles() {
  if (std::exchange(collected_, true)) return {};
  return CollectFilesIn(store_.root_fd());
}

Status RedoTree::CollectFilesIn(int directory) {
  FolderAccess access;
  access.Lift(directory);
  return ForEachEntry(directory, [&](const std::string& name) -> Status {
    HAWSER_ASSIGN(const Occupant occupant, OccupantOf(directory, name));
    if (!occupant || (directory == store_.root_fd() && name == kRedoFolder)) return {};
    if (S_ISDIR(occupant.info.st_mode)) return CollectFilesIn(occupant.fd.get());
    if (occupant.id == kNoFileId || !plan_.Mentions(occupant.id) || in_limbo_.contains(occupant.id))
      return {};
    HAWSER_ASSIGN(const int limbo, Limbo());
    if (::linkat(directory, name.c_str(), limbo, LimboName(occupant.id).c_str(), 0) != 0)
      return ErrnoError("cannot keep a file for redo", name);
    NoteInLimbo(occupant.id);
    return {};
  });
}

Result<bool> RedoTree::Exists(PlanNode* node) {
  HAWSER_ASSIGN(const Spot spot, Find(node, {}));
  return static_cast<bool>(spot);
}

// It gets another place yet, or is gone in the end.
bool RedoTree::MayBeSetAside(const PlanNode* node) const {
  return node->mentions > 0 || node->names == 0 || node == moved_[0] || node == moved_[1];
}

Status RedoTree::Displace(int directory, const std::string& name, FileId but,
                          std::optional<NodeKind> adoptable) {
  HAWSER_ASSIGN(const Occupant there, OccupantOf(directory, name));
  if (!there) return {};
  const bool is_directory = S_ISDIR(there.info.st_mode);
  if (!there.is_value() && there.id != kNoFileId) {
    if (there.id == but) return {};
    const bool is_last = is_directory || there.info.st_nlink == 1;
    const PlanNode* node = plan_.Find(there.id);
    if (node == nullptr || (is_last && !MayBeSetAside(node)))
      return Unaccounted(name, fmt::format("holds file id {:x}", there.id.value));
    if (is_last) return ToLimbo(directory, name, there.id);
  } else if (!there.is_value()) {
    // Made, and not yet marked, when the end came; nobody has written to it.
    if (!is_directory && there.info.st_size != 0) return Unaccounted(name, "has no file id");
    if (adoptable == KindOf(there.info.st_mode)) return {};
  }
  if (::unlinkat(directory, name.c_str(), is_directory ? AT_REMOVEDIR : 0) != 0) {
    if (errno == ENOTEMPTY) return Unaccounted(name, "has no file id");
    return ErrnoError("cannot remove", name);
  }
  return {};
}

Result<bool> RedoTree::Place(PlanNode* node, const PlanEntry& entry, const PlanEntry& from, bool move) {
  HAWSER_ASSIGN(const UniqueFd parent, OpenDirectory(entry.parent));
  if (!parent) return false;
  HAWSER_TRY(Displace(parent.get(), entry.name, node->id));
  HAWSER_ASSIGN(const Occupant there, OccupantOf(parent.get(), entry.name));
  if (there) return true;  // it is the node: everything else was displaced
  HAWSER_ASSIGN(Spot spot, Find(node, from));
  if (!spot && !node->created) {
    HAWSER_TRY(CollectFiles());
    HAWSER_ASSIGN(spot, LookInLimbo(node->id));
  }
  if (!spot) return false;  // a later record removed it for good
  HAWSER_ASSIGN(const Occupant found, OccupantOf(spot.parent.get(), spot.name));
  const KeepTimes keep(spot.parent.get());  // it may be elsewhere than any record says
  if (S_ISDIR(found.info.st_mode)) {
    access_.Lift(found.fd.get());  // a folder that gets another parent is written to
    HAWSER_TRY(PlaceDirectory(spot, node, parent.get(), entry.name));
    return true;
  }

  const bool rename = spot.in_limbo ? found.info.st_nlink == 1 : move && spot.is_hint;
  const int failed =
      rename ? ::renameat(spot.parent.get(), spot.name.c_str(), parent.get(), entry.name.c_str())
             : ::linkat(spot.parent.get(), spot.name.c_str(), parent.get(), entry.name.c_str(), 0);
  if (failed != 0) return ErrnoError("cannot redo the name", entry.name);
  if (rename && spot.in_limbo) in_limbo_.erase(node->id);
  return true;
}

Status RedoTree::PlaceDirectory(const Spot& spot, PlanNode* node, int to, const std::string& name) {
  while (::renameat2(spot.parent.get(), spot.name.c_str(), to, name.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno != EINVAL) return ErrnoError("cannot redo the name", name);
    HAWSER_TRY(BreakCycle(node, to));
  }
  if (spot.in_limbo) in_limbo_.erase(node->id);
  return {};
}

// The directory is to go below one that now lies below it: some directory on the way between them is where
// only a later record has put it. It is set aside until that one is redone.
Status RedoTree::BreakCycle(PlanNode* node, int to) {
  UniqueFd at = OpenEntry(to, ".", O_PATH | O_DIRECTORY);
  while (at) {
    access_.Lift(at.get());
    HAWSER_ASSIGN(const FileId id, ReadFileId(ProcPath(at.get())));
    if (id == node->id || id == kRootFileId) break;
    PlanNode* step = plan_.Find(id);
    if (step != nullptr && step->mentions > 0) {
      HAWSER_ASSIGN(const Spot spot, Find(step, {}));
      if (spot && !spot.in_limbo) return ToLimbo(spot.parent.get(), spot.name, id);
    }
    at = UniqueFd(::openat(at.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  return Unaccounted(LimboName(node->id), "(by id) lies above the directory that it belongs in");
}

Status RedoTree::Vacate(PlanNode* node, const PlanEntry& entry) {
  HAWSER_ASSIGN(const UniqueFd parent, OpenDirectory(entry.parent));
  if (!parent) return {};
  HAWSER_ASSIGN(const Occupant there, OccupantOf(parent.get(), entry.name));
  if (!there) return {};
  if (node->id == kNoFileId ? !there.is_value() : there.id != node->id) return {};
  if (there.is_value() || (!S_ISDIR(there.info.st_mode) && there.info.st_nlink > 1)) {
    if (::unlinkat(parent.get(), entry.name.c_str(), 0) != 0) return ErrnoError("cannot remove", entry.name);
    return {};
  }
  if (node->mentions > 0) return ToLimbo(parent.get(), entry.name, node->id);
  return RemoveLast(parent.get(), entry.name, node, there.info);
}

Result<bool> RedoTree::Holds(const PlanEntry& entry) {
  HAWSER_ASSIGN(const UniqueFd parent, OpenDirectory(entry.parent));
  if (!parent) return false;
  HAWSER_ASSIGN(const Occupant there, OccupantOf(parent.get(), entry.name));
  return static_cast<bool>(there);
}

// Under its last name, with no record to come that would give it another.
Status RedoTree::RemoveLast(int directory, const std::string& name, PlanNode* node, const struct stat& info) {
  if (node->names > 0) return Unaccounted(name, "should have another name, which is missing");
  if (::unlinkat(directory, name.c_str(), S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0) == 0) return {};
  if (errno == ENOTEMPTY) return Unaccounted(name, "holds entries although it was removed");
  return ErrnoError("cannot remove", name);
}

Result<Create> RedoTree::ReadValueAt(int fd) {
  HAWSER_ASSIGN(const struct stat info, StatFd(fd));
  Create value;
  value.kind = KindOf(info.st_mode);
  value.mode = info.st_mode & 07777;
  value.uid = info.st_uid;
  value.gid = info.st_gid;
  value.device = info.st_rdev;
  value.time = Timestamp::From(info.st_mtim);
  if (value.kind == NodeKind::kSymlink) {
    std::string target(static_cast<std::size_t>(info.st_size) + 1, '\0');
    const ssize_t size = ::readlinkat(fd, "", target.data(), target.size());
    if (size < 0) return ErrnoError("cannot read a symlink of the store");
    target.resize(static_cast<std::size_t>(size));
    value.target = std::move(target);
  }
  return value;
}

Result<std::optional<Create>> RedoTree::ReadValue(const PlanEntry& entry) {
  HAWSER_ASSIGN(const UniqueFd fd, OpenValue(entry));
  if (!fd) return std::optional<Create>();
  HAWSER_ASSIGN(Create value, ReadValueAt(fd.get()));
  return std::optional(std::move(value));
}

}  // namespace hawser
