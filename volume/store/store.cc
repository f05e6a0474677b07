#include "volume/store/store.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/xattr.h>

#include "common/base/log.h"
#include "common/record/kinds.h"
#include "volume/store/directory.h"
#include "volume/store/owner_access.h"
#include "volume/store/store_owner.h"

namespace hawser {

namespace {

// The name of some entry of a directory, empty if there is none.
Result<std::string> AnyEntry(int directory) {
  std::string name;
  HAWSER_TRY(VisitEntries(directory, [&](const dirent& entry) {
    name = entry.d_name;
    return false;
  }));
  return name;
}

}  // namespace

Result<struct stat> StatFd(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return ErrnoError("cannot stat an open file");
  return info;
}

FileState StateOf(const struct stat& info) {
  return {static_cast<std::uint64_t>(info.st_size), Timestamp::From(info.st_mtim)};
}

NodeKind KindOf(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return NodeKind::kDirectory;
    case S_IFLNK:
      return NodeKind::kSymlink;
    case S_IFIFO:
      return NodeKind::kFifo;
    case S_IFSOCK:
      return NodeKind::kSocket;
    case S_IFCHR:
      return NodeKind::kCharDevice;
    case S_IFBLK:
      return NodeKind::kBlockDevice;
    default:
      return NodeKind::kRegular;
  }
}

Result<std::unique_ptr<Store>> Store::Open(const StoreOptions& options) {
  std::unique_ptr<Store> store(new Store(options));
  store->root_ = UniqueFd(::open(options.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!store->root_) {
    return ErrnoError(
        fmt::format("the store of volume {} can't be opened (create the folder, or mend its permissions):",
                    options.volume.value),
        options.root);
  }
  if (::flock(store->root_.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{
        EBUSY, fmt::format("the store '{}' of volume {} is in use by another hawser process; stop that first",
                           options.root, options.volume.value)};
  }
  HAWSER_TRY(store->Claim());
  store->FindOutTimes();
  return store;
}

// The root's xattrs tell whose store this is. The volume's name is written last: while it is missing, the
// directory is a new one.
Status Store::Claim() {
  const std::string owner = FullName(options_.group, options_.volume);
  const auto found = ReadStoreOwner(root_.get(), options_.root);
  if (!found && found.error().code == ENOTSUP) {
    return Error{ENOTSUP,
                 fmt::format("the store '{}' is on a filesystem without user xattrs, where file ids are "
                             "kept; use ext4, xfs, btrfs or another with user xattrs enabled",
                             options_.root)};
  }
  if (!found) return found.error();
  if (*found == owner) {
    HAWSER_ASSIGN(const FileId id, ReadValueId(ProcPath(root_.get())));
    keeps_value_ids_ = id != kNoFileId;
    return {};
  }
  if (!found->empty()) {
    HAWSER_ASSIGN(const bool empty, IsEmpty());
    return OthersStore(options_.root, *found, owner, empty);
  }
  if (options_.has_checkpoint) return WrongStore(options_.volume, options_.root);

  HAWSER_ASSIGN(const std::string entry, AnyEntry(root_.get()));
  if (!entry.empty()) {
    return Error{ENOTEMPTY,
                 fmt::format("the store '{}' of volume {} already holds files that Hawser doesn't know "
                             "('{}' for one); begin with an empty folder and copy them in through the "
                             "mount",
                             options_.root, options_.volume.value, entry)};
  }
  const auto marked = WriteFileId(root_.get(), kRootFileId);
  if (!marked && marked.error().code == ENOTSUP) {
    return Error{ENOTSUP,
                 fmt::format("the store '{}' is on a filesystem without user xattrs, where file ids are "
                             "kept; use ext4, xfs, btrfs or another with user xattrs enabled",
                             options_.root)};
  }
  if (!marked) return Error{marked.error().code, "cannot mark the store '" + options_.root + "'"};
  HAWSER_TRY(SetMarks({}));  // takes their room
  keeps_value_ids_ = options_.value_ids && WriteValueId(ProcPath(root_.get()), kRootFileId);
  HAWSER_TRY(WriteStoreOwner(root_.get(), owner, options_.root));
  is_new_ = true;
  return {};
}

// A full disk may not tell: then times are taken to be kept as they are set, which most filesystems do.
void Store::FindOutTimes() {
  const auto times = ProbeTimes(root_.get());
  if (times) {
    times_ = *times;
  } else {
    log::warn("the store '{}' of volume {}: {}; it is taken to keep them to the nanosecond", options_.root,
              options_.volume.value, times.error().Text());
  }
}

Result<bool> Store::IsEmpty() const {
  HAWSER_ASSIGN(const std::string entry, AnyEntry(root_.get()));
  return entry.empty();
}

Record Store::Localized(const Record& record) const {
  Record local = record;
  if (keeps_value_ids_) return local;
  ForEachFileId(local.body, [](FileId& id) {
    if (IsValueId(id)) id = kNoFileId;
  });
  return local;
}

Result<struct stat> Store::Stat(const StorePath& path) const {
  HAWSER_ASSIGN(const UniqueFd fd, Pin(path));
  return StatFd(fd.get());
}

Result<UniqueFd> Store::Reopen(int pinned, int flags) const {
  constexpr int kLeftOut = O_APPEND | O_DIRECT | O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY | O_NONBLOCK |
                           O_NOFOLLOW | O_SYNC | O_ASYNC;
  const int wanted = (flags & ~kLeftOut) | O_CLOEXEC;
  const std::string path = ProcPath(pinned);
  UniqueFd fd(::open(path.c_str(), wanted | O_NOATIME));
  if (!fd && errno == EPERM) fd = UniqueFd(::open(path.c_str(), wanted));
  if (!fd && errno == EACCES) {
    const OwnerAccess access(path);
    fd = UniqueFd(::open(path.c_str(), wanted));
  }
  if (!fd) return ErrnoError("cannot open a file of the store");
  return fd;
}

Result<struct statvfs> Store::Space() const {
  struct statvfs info {};
  if (::fstatvfs(root_.get(), &info) != 0)
    return ErrnoError("cannot ask the space of the store", options_.root);
  return info;
}

// Filesystems keep something in reserve, and take it back late: a few MiB are not room.
bool Store::HasRoom(std::uint64_t bytes) const {
  constexpr std::uint64_t kLeast = 4 * kMiB;
  constexpr std::uint64_t kLeastNodes = 16;
  const auto space = Space();
  if (!space || (space->f_files > 0 && space->f_ffree < kLeastNodes)) return false;
  return space->f_bavail * space->f_frsize >= kLeast + 2 * bytes;
}

bool Store::HasOtherNames(const StorePath& path) const {
  const auto info = Stat(path);
  return !info || (!S_ISDIR(info->st_mode) && info->st_nlink > 1);
}

namespace {

Status LookForNodes(int directory, const std::set<FileId>& files, std::set<FileId>& found) {
  FolderAccess access;
  access.Lift(directory);
  std::vector<std::string> folders;
  Status status;
  const auto look = [&](const dirent& entry) {
    const UniqueFd fd(::openat(directory, entry.d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    const auto id = fd ? ReadFileId(ProcPath(fd.get())) : ErrnoError("cannot open", entry.d_name);
    if (!id) status = id.error();
    if (id && files.contains(*id)) found.insert(*id);
    if (entry.d_type == DT_DIR) folders.emplace_back(entry.d_name);
    return static_cast<bool>(status);
  };
  HAWSER_TRY(VisitEntries(directory, look));
  HAWSER_TRY(std::move(status));
  for (const std::string& name : folders) {
    const UniqueFd fd(::openat(directory, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return ErrnoError("cannot open", name);
    HAWSER_TRY(LookForNodes(fd.get(), files, found));
  }
  return {};
}

}  // namespace

Result<std::set<FileId>> Store::Present(const std::set<FileId>& files) const {
  std::set<FileId> found;
  HAWSER_TRY(LookForNodes(root_.get(), files, found));
  return found;
}

Status Store::Flush() const {
  if (::syncfs(root_.get()) != 0) return ErrnoError("cannot flush the store", options_.root);
  return {};
}

}  // namespace hawser
