// The hidden folder for what has no place.
#include <fmt/format.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "volume/store/redo.h"
#include "volume/store/redo_tree.h"

namespace hawser {

namespace {

constexpr const char* kLeft = "left-";  // by an earlier redo

std::string ValueName(std::size_t number) { return fmt::format("value-{}", number); }

// The root's mtime from before the hidden folder was made in it, kept on the root itself until the folder is
// gone: an end between making it and setting the times again would leave the root with a time that no record
// has. Nothing is flushed in between: filesystems keep changes of metadata in order.
constexpr const char* kTimesXattr = "user.hawser.redo";

Result<std::optional<Timestamp>> KeptRootTime(int root) {
  std::int64_t time = 0;
  const ssize_t size = ::fgetxattr(root, kTimesXattr, &time, sizeof time);
  if (size < 0 && errno == ENODATA) return std::optional<Timestamp>();
  if (size < 0) return ErrnoError("cannot read the times that redo has kept of the store");
  if (size != sizeof time) return Error{EBADMSG, "the times that redo has kept of the store are damaged"};
  return std::optional(Timestamp{time});
}

Status KeepRootTime(int root) {
  HAWSER_ASSIGN(const auto kept, KeptRootTime(root));
  if (kept) return {};
  HAWSER_ASSIGN(const struct stat info, StatFd(root));
  const std::int64_t time = Timestamp::From(info.st_mtim).nanoseconds;
  // The root's other xattrs may leave no room for it. Then it is only that an end just here changes the time.
  if (::fsetxattr(root, kTimesXattr, &time, sizeof time, 0) != 0 && errno != ENOSPC)
    return ErrnoError("cannot keep the times of the store for redo");
  return {};
}

// Records that are redone set them again.
Status RestoreRootTime(int root) {
  HAWSER_ASSIGN(const auto kept, KeptRootTime(root));
  if (!kept) return {};
  const timespec times[2] = {{0, UTIME_OMIT}, kept->ToTimespec()};
  if (::futimens(root, times) != 0) return ErrnoError("cannot set the times of the store");
  return {};
}

}  // namespace

Status RedoTree::Open() {
  HAWSER_TRY(RestoreRootTime(store_.root_fd()));
  HAWSER_TRY(OpenFolder());
  if (!limbo_) return {};
  return ForEachEntry(limbo_.get(), [this](const std::string& name) -> Status {
    HAWSER_ASSIGN(const Occupant left, OccupantOf(limbo_.get(), name));
    if (left.is_value()) return {};
    const std::string limbo_name = LimboName(left.id);
    if (left.id == kNoFileId || (name != limbo_name && name != kLeft + limbo_name))
      return Unaccounted(name, "lies in " + std::string(kRedoFolder));
    in_limbo_[left.id] = name;
    return {};
  });
}

// A folder that a record has made has an id.
Status RedoTree::OpenFolder() {
  access_.Lift(store_.root_fd());
  HAWSER_ASSIGN(const Occupant there, OccupantOf(store_.root_fd(), kRedoFolder));
  if (!there || there.id != kNoFileId) return {};
  limbo_ = OpenEntry(store_.root_fd(), kRedoFolder, O_RDONLY | O_DIRECTORY);
  return limbo_ ? Status() : ErrnoError("cannot open the folder for redo in the store", store_.root_path());
}

Result<int> RedoTree::Limbo() {
  if (limbo_) return limbo_.get();
  access_.Lift(store_.root_fd());
  HAWSER_TRY(KeepRootTime(store_.root_fd()));
  {
    const KeepTimes keep(store_.root_fd());
    if (::mkdirat(store_.root_fd(), kRedoFolder, 0700) != 0)
      return ErrnoError("cannot make the folder for redo in the store", store_.root_path());
  }
  limbo_ = OpenEntry(store_.root_fd(), kRedoFolder, O_RDONLY | O_DIRECTORY);
  if (!limbo_) return ErrnoError("cannot open the folder for redo in the store", store_.root_path());
  return limbo_.get();
}

std::string RedoTree::LimboName(FileId id) { return fmt::format("{:x}", id.value); }

Result<RedoTree::Spot> RedoTree::LookInLimbo(FileId id) {
  const auto found = in_limbo_.find(id);
  if (found == in_limbo_.end()) return Spot{};
  return Spot{UniqueFd(::fcntl(limbo_.get(), F_DUPFD_CLOEXEC, 0)), found->second, true};
}

Status RedoTree::ToLimbo(int directory, const std::string& name, FileId id) {
  HAWSER_ASSIGN(const int limbo, Limbo());
  access_.Lift(OpenEntry(directory, name, O_PATH).get());  // a folder is written to
  if (::renameat(directory, name.c_str(), limbo, LimboName(id).c_str()) != 0)
    return ErrnoError("cannot set aside for redo", name);
  NoteInLimbo(id);
  return {};
}

Status RedoTree::KeepValue(const PlanEntry& entry, std::size_t number) {
  HAWSER_ASSIGN(const UniqueFd parent, OpenDirectory(entry.parent));
  HAWSER_ASSIGN(const int limbo, Limbo());
  if (::linkat(parent.get(), entry.name.c_str(), limbo, ValueName(number).c_str(), 0) != 0)
    return ErrnoError("cannot keep for redo", entry.name);
  return {};
}

Result<std::optional<Create>> RedoTree::KeptValue(std::size_t number) {
  if (!limbo_) return std::optional<Create>();
  HAWSER_ASSIGN(const Occupant kept, OccupantOf(limbo_.get(), ValueName(number)));
  if (!kept) return std::optional<Create>();
  HAWSER_ASSIGN(Create value, ReadValueAt(kept.fd.get()));
  return std::optional(std::move(value));
}

Status RedoTree::Empty(bool differs) {
  // Not empty, or the root is one of those that nobody may change.
  const auto may_stay = [differs](int code) { return differs && (code == ENOTEMPTY || code == EPERM); };
  if (limbo_) {
    HAWSER_TRY(
        ForEachEntry(limbo_.get(), [&](const std::string& name) { return RemoveFromLimbo(name, differs); }));
    const Status removed = RemoveFolder();
    if (!removed && !may_stay(removed.error().code)) return removed;
  }
  if (::fremovexattr(store_.root_fd(), kTimesXattr) != 0 && errno != ENODATA && !may_stay(errno))
    return ErrnoError("cannot remove what redo has kept on the store", store_.root_path());
  return {};
}

// What can't be removed is tried again with the next.
Status RedoTree::RemoveLeft() {
  HAWSER_TRY(OpenFolder());
  if (!limbo_) return {};
  HAWSER_TRY(ForEachEntry(limbo_.get(), [this](const std::string& name) {
    static_cast<void>(RemoveAll(limbo_.get(), name));
    return Status();
  }));
  RemoveFolderIfEmpty();
  return {};
}

Status RedoTree::RemoveFolder() {
  access_.Lift(store_.root_fd());
  const KeepTimes keep(store_.root_fd());
  if (::unlinkat(store_.root_fd(), kRedoFolder, AT_REMOVEDIR) != 0)
    return ErrnoError("cannot remove the folder for redo in the store", store_.root_path());
  in_limbo_.clear();
  limbo_.Reset();
  return {};
}

void RedoTree::RemoveFolderIfEmpty() {
  if (limbo_ && RemoveFolder()) static_cast<void>(::fremovexattr(store_.root_fd(), kTimesXattr));
}

Status RedoTree::RemoveFromLimbo(const std::string& name, bool differs) {
  HAWSER_ASSIGN(const Occupant there, OccupantOf(limbo_.get(), name));
  const bool is_last = S_ISDIR(there.info.st_mode) || (there.info.st_nlink == 1 && !there.is_value());
  PlanNode* node = plan_.Find(there.id);
  if (!is_last) {
    if (::unlinkat(limbo_.get(), name.c_str(), 0) == 0 || (differs && errno == EPERM)) return {};
    return ErrnoError("cannot remove", name);
  }
  if (name.starts_with(kLeft)) return differs ? Status() : RemoveAll(limbo_.get(), name);
  Status removed = node == nullptr ? Unaccounted(name, "(by id) has lost its name")
                                   : RemoveLast(limbo_.get(), name, node, there.info);
  if (removed || !differs) return removed;
  if (removed.error().code == kStoreDiverged) return LeaveInLimbo(name);
  return removed.error().code == EPERM ? Status() : removed;
}

Status RedoTree::LeaveInLimbo(const std::string& name) {
  if (::renameat(limbo_.get(), name.c_str(), limbo_.get(), (kLeft + name).c_str()) == 0) return {};
  if (errno == EPERM) return {};
  return ErrnoError("cannot keep for another redo", name);
}

}  // namespace hawser
