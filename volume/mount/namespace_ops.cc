// Namespace: mknod, mkdir, symlink, create, unlink, rmdir, rename, link.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <climits>

#include "common/record/codec.h"
#include "volume/mount/operations.h"
#include "volume/store/directory.h"
#include "volume/store/inherited_access.h"
#include "volume/store/redo.h"
#include "volume/store/rehearsal.h"

namespace hawser {

namespace {

Status CheckPath(const StorePath& path) {
  if (path.text() == kRedoFolder)
    return Error{EPERM, fmt::format("'{}' in a volume's root is Hawser's own", kRedoFolder)};
  if (path.text().size() <= kMaxPathBytes) return {};
  return Error{ENAMETOOLONG,
               fmt::format("a path of {} bytes; at most {}", path.text().size(), kMaxPathBytes)};
}

// What is below a folder that moves has a path too: none becomes so long that nobody could remove it.
Status CheckMove(const PinnedNode& node, const StorePath& from, const StorePath& to) {
  HAWSER_TRY(CheckPath(to));
  if (to.text().size() <= from.text().size()) return {};
  HAWSER_ASSIGN(const bool fit, PathsBelowFit(node.get(), kMaxPathBytes - to.text().size()));
  if (!fit) return Error{ENAMETOOLONG, fmt::format("paths below it would be over {} bytes", kMaxPathBytes)};
  return {};
}

}  // namespace

// The free inodes and blocks that a new node needs.
Status Operations::CheckNewNode() const {
  HAWSER_ASSIGN(const struct statvfs space, volume_.store().Space());
  if (space.f_files > 0 && space.f_ffree < 16) return Error{ENOSPC, "the store has no inodes left"};
  if (space.f_bfree < 64) return Error{ENOSPC, "the store has no space left"};
  return {};
}

Status Operations::CreateNode(const Caller& who, NodeId parent, const std::string& name,
                              const NewNode& node) {
  Whereabouts directory;
  HAWSER_TRY(Mutate(
      who, [&] { return LocksOfEntry(parent, name, directory); },
      [&]() -> Result<std::optional<Decision>> {
        HAWSER_ASSIGN(const Place place, ExamineEntry(directory, name));
        if (place.child) return Error{EEXIST, "'" + name + "'"};
        HAWSER_TRY(CheckPath(place.path));
        HAWSER_TRY(CheckNewNode());
        Create record;
        record.path = place.path;
        record.kind = node.kind;
        record.uid = options_.uid.value_or(who.uid);
        record.gid = options_.gid.value_or(who.gid);
        record.time = Now();
        if ((place.directory.st_mode & S_ISGID) != 0)
          record.gid = options_.gid.value_or(place.directory.st_gid);
        // The folder's group comes by itself.
        const bool inherits =
            (place.directory.st_mode & S_ISGID) != 0 && record.gid == place.directory.st_gid;
        if (record.uid != ::geteuid() || (record.gid != ::getegid() && !inherits))
          HAWSER_TRY(RehearseOwner(volume_.store().root_fd(), record.uid, record.gid));
        if (node.kind == NodeKind::kSymlink) {
          HAWSER_TRY(CheckTarget(volume_.store().root_fd(), node.target));
          record.mode = 0777;
          record.target = node.target;
        } else {
          const bool is_directory = node.kind == NodeKind::kDirectory;
          HAWSER_ASSIGN(const Buffer default_acl, ReadDefaultAcl(place.directory_path));
          InheritedAccess access = InheritAccess(node.mode & 07777, who.umask, default_acl, is_directory);
          record.mode = access.mode;
          record.access_acl = std::move(access.access_acl);
          record.default_acl = std::move(access.default_acl);
          if (is_directory) record.mode |= place.directory.st_mode & S_ISGID;
        }
        if (node.kind == NodeKind::kCharDevice || node.kind == NodeKind::kBlockDevice)
          record.device = node.device;
        const bool is_value = node.kind != NodeKind::kRegular && node.kind != NodeKind::kDirectory;
        if (!is_value || volume_.store().keeps_value_ids()) {
          HAWSER_ASSIGN(record.file, role_.NewFileId());
        }
        if (is_value && record.file != kNoFileId) record.file = ValueId(record.file);
        return std::optional(Decision{std::move(record), nullptr, nullptr});
      }));
  done_.Add({{parent}, {{parent, name}}});
  return {};
}

Result<EntryReply> Operations::MakeNode(const Caller& who, NodeId parent, const std::string& name,
                                        const NewNode& node) {
  HAWSER_TRY(CreateNode(who, parent, name, node));
  HAWSER_ASSIGN(const Volume::Entry entry, volume_.Lookup(parent, name));
  return Shown(entry);
}

Result<CreateReply> Operations::CreateFile(const Caller& who, NodeId parent, const std::string& name,
                                           mode_t mode, int flags) {
  HAWSER_ASSIGN(DescriptorPlace place, DescriptorPlace::Take(HeldFor::kProgram));
  HAWSER_TRY(CreateNode(who, parent, name, {NodeKind::kRegular, mode, 0, {}}));
  HAWSER_ASSIGN(const Volume::Entry entry, volume_.Lookup(parent, name));
  auto open = OpenInto(std::move(place), entry.node, flags);
  if (!open) {
    Forget(entry.node, 1);
    return std::move(open).error();
  }
  return CreateReply{Shown(entry), *std::move(open)};
}

Status Operations::Unlink(const Caller& who, NodeId parent, const std::string& name) {
  return Remove(who, parent, name, false);
}

Status Operations::RemoveDirectory(const Caller& who, NodeId parent, const std::string& name) {
  return Remove(who, parent, name, true);
}

Status Operations::Remove(const Caller& who, NodeId parent, const std::string& name, bool directory) {
  Whereabouts at;
  return Mutate(
      who, [&] { return LocksOfEntry(parent, name, at); },
      [&]() -> Result<std::optional<Decision>> {
        HAWSER_ASSIGN(const Place place, ExamineEntry(at, name));
        if (!place.child) return Error{ENOENT, "'" + name + "'"};
        const bool is_directory = S_ISDIR(place.child->info.st_mode);
        if (!directory) {
          if (is_directory) return Error{EISDIR, "'" + name + "'"};
          return std::optional(
              Decision{hawser::Unlink{place.child->id, place.path, Now()}, nullptr, nullptr});
        }
        if (!is_directory) return Error{ENOTDIR, "'" + name + "'"};
        HAWSER_ASSIGN(const bool empty, IsEmptyDirectory(place.child->pin.get()));
        if (!empty) return Error{ENOTEMPTY, "'" + name + "'"};
        return std::optional(Decision{Rmdir{place.child->id, place.path, Now()}, nullptr, nullptr});
      });
}

Status Operations::Rename(const Caller& who, NodeId parent, const std::string& name, NodeId new_parent,
                          const std::string& new_name, unsigned flags) {
  if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0)
    return Error{EINVAL, "this kind of rename isn't supported"};
  Whereabouts from_directory;
  Whereabouts to_directory;
  const auto locks = [&]() -> Result<LockSet> {
    HAWSER_ASSIGN(LockSet set, LocksOfEntry(parent, name, from_directory));
    HAWSER_ASSIGN(const LockSet to, LocksOfEntry(new_parent, new_name, to_directory));
    set.nodes.insert(set.nodes.end(), to.nodes.begin(), to.nodes.end());
    set.lineage.insert(set.lineage.end(), to.lineage.begin(), to.lineage.end());
    for (const auto& [directory, entry] : {std::pair(parent, name), std::pair(new_parent, new_name)}) {
      const auto pin = volume_.PinEntry(directory, entry);
      if (!pin) continue;
      HAWSER_ASSIGN(const struct stat info, StatFd(pin->get()));
      if (!S_ISDIR(info.st_mode)) continue;
      // An exchange of two directories moves both: the root stands for all.
      set.moved = set.moved ? volume_.inodes().root_inode() : info.st_ino;
    }
    return set;
  };
  return Mutate(who, locks,
                [&] { return DecideRename(from_directory, name, to_directory, new_name, flags); });
}

Result<std::optional<Decision>> Operations::DecideRename(const Whereabouts& parent, const std::string& name,
                                                         const Whereabouts& new_parent,
                                                         const std::string& new_name, unsigned flags) {
  HAWSER_ASSIGN(const Place from, ExamineEntry(parent, name));
  HAWSER_ASSIGN(const Place to, ExamineEntry(new_parent, new_name));
  if (!from.child) return Error{ENOENT, "'" + name + "'"};
  const bool directory = S_ISDIR(from.child->info.st_mode);
  hawser::Rename record{from.child->id, from.path, to.path, RenameMode::kReplace, {}, Now(), {}, {}};
  if ((flags & RENAME_EXCHANGE) != 0) {
    if (!to.child) return Error{ENOENT, "'" + new_name + "'"};
    record.mode = RenameMode::kExchange;
  } else if ((flags & RENAME_NOREPLACE) != 0) {
    if (to.child) return Error{EEXIST, "'" + new_name + "'"};
    record.mode = RenameMode::kNoReplace;
  }
  if (directory && to.path.IsAtOrBelow(from.path) && to.path != from.path)
    return Error{EINVAL, "a directory can't be moved into itself"};
  if (to.child) {
    // Two names of one file: rename(2) does nothing.
    if (to.child->info.st_ino == from.child->info.st_ino) return std::optional<Decision>();
    record.replaced = to.child->id;
    if (record.mode == RenameMode::kReplace) {
      const bool onto_directory = S_ISDIR(to.child->info.st_mode);
      if (directory && !onto_directory) return Error{ENOTDIR, "'" + new_name + "'"};
      if (!directory && onto_directory) return Error{EISDIR, "'" + new_name + "'"};
      if (onto_directory) {
        HAWSER_ASSIGN(const bool empty, IsEmptyDirectory(to.child->pin.get()));
        if (!empty) return Error{ENOTEMPTY, "'" + new_name + "'"};
      }
    } else if (record.mode == RenameMode::kExchange && S_ISDIR(to.child->info.st_mode) &&
               from.path.IsAtOrBelow(to.path)) {
      return Error{EINVAL, "a directory can't be exchanged with something in it"};
    }
  }
  if (from.directory.st_ino != to.directory.st_ino) {
    if (directory) record.mtime = Timestamp::From(from.child->info.st_mtim);
    if (record.mode == RenameMode::kExchange && S_ISDIR(to.child->info.st_mode))
      record.replaced_mtime = Timestamp::From(to.child->info.st_mtim);
  }
  HAWSER_TRY(directory ? CheckMove(from.child->pin, from.path, to.path) : CheckPath(to.path));
  if (record.mode == RenameMode::kExchange && S_ISDIR(to.child->info.st_mode))
    HAWSER_TRY(CheckMove(to.child->pin, to.path, from.path));
  return std::optional(Decision{std::move(record), nullptr, nullptr});
}

Result<EntryReply> Operations::Link(const Caller& who, NodeId node, NodeId new_parent,
                                    const std::string& new_name) {
  Whereabouts source_at;
  Whereabouts directory;
  const auto locks = [&]() -> Result<LockSet> {
    HAWSER_ASSIGN(LockSet set, LocksOfEntry(new_parent, new_name, directory));
    HAWSER_ASSIGN(const LockSet source, LocksOf(node, source_at));
    set.nodes.insert(set.nodes.end(), source.nodes.begin(), source.nodes.end());
    set.lineage.insert(set.lineage.end(), source.lineage.begin(), source.lineage.end());
    if (source.moved) set.moved = source.moved;
    return set;
  };
  HAWSER_TRY(Mutate(who, locks, [&]() -> Result<std::optional<Decision>> {
    HAWSER_ASSIGN(const Subject source, Examine(source_at));
    HAWSER_ASSIGN(const Place to, ExamineEntry(directory, new_name));
    if (source.orphan()) return Error{ENOENT, "the file has been removed"};
    if (S_ISDIR(source.info.st_mode)) return Error{EPERM, "a directory can't be linked"};
    if (to.child) return Error{EEXIST, "'" + new_name + "'"};
    constexpr long kUnknown = 127;  // what the C library says of filesystems that it doesn't know
    const long most = ::fpathconf(volume_.store().root_fd(), _PC_LINK_MAX);
    if (most > kUnknown && source.info.st_nlink >= static_cast<nlink_t>(most))
      return Error{EMLINK, "'" + new_name + "'"};
    HAWSER_TRY(CheckPath(to.path));
    HAWSER_TRY(CheckNewNode());
    return std::optional(Decision{hawser::Link{source.id, source.path(), to.path, Now()}, nullptr, nullptr});
  }));
  done_.Add({{node, new_parent}, {{new_parent, new_name}}});
  HAWSER_ASSIGN(const Volume::Entry entry, volume_.Lookup(new_parent, new_name));
  return Shown(entry);
}

}  // namespace hawser
