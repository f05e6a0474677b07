// How each kind of record changes a store.

#include <fmt/format.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>

#include "common/base/files.h"
#include "common/record/kinds.h"
#include "volume/store/acl_names.h"
#include "volume/store/owner_access.h"
#include "volume/store/store.h"

namespace hawser {

namespace {

// A node of the store that has been found by path and whose identity has been checked.
struct Found {
  UniqueFd fd;  // O_PATH
  struct stat info;
};

Status SetFolderTime(int folder, Timestamp mtime) {
  const timespec times[2] = {{0, UTIME_OMIT}, mtime.ToTimespec()};
  if (::utimensat(folder, "", times, AT_EMPTY_PATH) != 0) return ErrnoError("cannot set a directory's times");
  return {};
}

class Applier {
 public:
  Applier(int root, const StoreTimes& times, const Record& record, Bytes payload, ApplyTo to)
      : root_(root), times_(times), record_(record), payload_(payload), to_(to) {}

  Status operator()(const Write& r) {
    HAWSER_ASSIGN(const int fd, FileToChange(r));
    HAWSER_TRY(WriteAllAt(fd, payload_, r.offset, r.path.Printable()));
    return SetTimeAndMode(fd, r);
  }

  Status operator()(const Truncate& r) {
    HAWSER_ASSIGN(const int fd, FileToChange(r));
    if (::ftruncate(fd, static_cast<off_t>(r.size)) != 0) return Failed("truncate", r.path);
    return SetTimeAndMode(fd, r);
  }

  Status operator()(const Allocate& r) {
    HAWSER_ASSIGN(const int fd, FileToChange(r));
    if (::fallocate(fd, static_cast<int>(r.flags), static_cast<off_t>(r.offset),
                    static_cast<off_t>(r.length)) != 0)
      return Failed("allocate", r.path);
    return SetTimeAndMode(fd, r);
  }

  Status operator()(const Create& r) {
    HAWSER_ASSIGN(const EntryRef entry, Parent(r.path));
    if (auto made = MakeNode(entry, r); !made) {
      // Not even half of it stays, so that the record can be tried again.
      if (is_made_)
        ::unlinkat(entry.parent.get(), entry.name.c_str(), r.kind == NodeKind::kDirectory ? AT_REMOVEDIR : 0);
      return made;
    }
    return SetFolderTime(entry.parent.get(), r.time);
  }

  Status operator()(const Link& r) {
    HAWSER_ASSIGN(const Found source, Find(r.path, r.file));
    HAWSER_ASSIGN(const EntryRef from, Parent(r.path));
    HAWSER_ASSIGN(const EntryRef to, NewParent(r.new_path));
    if (::linkat(from.parent.get(), from.name.c_str(), to.parent.get(), to.name.c_str(), 0) != 0)
      return FailedEntry("link", r.new_path);
    return SetFolderTime(to.parent.get(), r.time);
  }

  Status operator()(const Unlink& r) {
    HAWSER_ASSIGN(const Found node, Find(r.path, r.file));
    HAWSER_ASSIGN(const EntryRef entry, Parent(r.path));
    if (::unlinkat(entry.parent.get(), entry.name.c_str(), 0) != 0) return FailedEntry("unlink", r.path);
    return SetFolderTime(entry.parent.get(), r.time);
  }

  Status operator()(const Rmdir& r) {
    HAWSER_ASSIGN(const Found node, Find(r.path, r.file));
    HAWSER_ASSIGN(const EntryRef entry, Parent(r.path));
    if (::unlinkat(entry.parent.get(), entry.name.c_str(), AT_REMOVEDIR) != 0)
      return FailedEntry("remove directory", r.path);
    return SetFolderTime(entry.parent.get(), r.time);
  }

  Status operator()(const Rename& r) {
    HAWSER_ASSIGN(const Found node, Find(r.path, r.file));
    std::optional<Found> replaced;
    if (r.replaced) {
      auto found = Find(r.new_path, *r.replaced);
      const bool may_lack = r.mode != RenameMode::kExchange && !found && found.error().code == ENOENT;
      if (!found && !may_lack) return found.error();
      if (found) replaced = *std::move(found);
    }
    HAWSER_ASSIGN(const EntryRef from, Parent(r.path));
    HAWSER_ASSIGN(const EntryRef to, NewParent(r.new_path));
    // Nothing may be there that the record doesn't know of, so NOREPLACE also where the caller didn't ask for
    // it.
    const unsigned flags = r.mode == RenameMode::kExchange ? RENAME_EXCHANGE
                           : replaced                      ? 0
                                                           : RENAME_NOREPLACE;
    if (::renameat2(from.parent.get(), from.name.c_str(), to.parent.get(), to.name.c_str(), flags) != 0)
      return FailedEntry("rename", r.new_path);
    if (r.mtime) HAWSER_TRY(SetFolderTime(node.fd.get(), *r.mtime));
    if (r.replaced_mtime && replaced) HAWSER_TRY(SetFolderTime(replaced->fd.get(), *r.replaced_mtime));
    HAWSER_TRY(SetFolderTime(from.parent.get(), r.time));
    return SetFolderTime(to.parent.get(), r.time);
  }

  Status operator()(const SetAttr& r) {
    HAWSER_ASSIGN(const Found node, Find(r.path, r.file));
    // Owner before mode: a change of owner clears setuid and setgid.
    if (r.uid || r.gid) HAWSER_TRY(SetOwner(node.fd.get(), r.path, r.uid, r.gid));
    if (r.mode && ChangeMode(ProcPath(node.fd.get()), *r.mode) != 0)
      return Failed("change the mode of", r.path);
    if (r.atime || r.mtime) {
      const timespec omit{0, UTIME_OMIT};
      const timespec times[2] = {r.atime ? r.atime->ToTimespec() : omit,
                                 r.mtime ? r.mtime->ToTimespec() : omit};
      if (::utimensat(node.fd.get(), "", times, AT_EMPTY_PATH) != 0)
        return Failed("set the times of", r.path);
    }
    return {};
  }

  Status operator()(const SetXattr& r) {
    HAWSER_ASSIGN(const Found node, Find(r.path, r.file));
    if (::setxattr(ProcPath(node.fd.get()).c_str(), r.name.c_str(), payload_.data(), payload_.size(), 0) != 0)
      return Failed("set xattr " + r.name + " of", r.path);
    return {};
  }

  Status operator()(const RemoveXattr& r) {
    HAWSER_ASSIGN(const Found node, Find(r.path, r.file));
    if (::removexattr(ProcPath(node.fd.get()).c_str(), r.name.c_str()) != 0) {
      if ((errno == ENODATA || errno == EOPNOTSUPP) && to_.differs) return {};
      if (errno == ENODATA || errno == EOPNOTSUPP) return Diverged(r.path, "has no xattr " + r.name);
      return Failed("remove xattr " + r.name + " of", r.path);
    }
    return {};
  }

  Status operator()(const ControlKind auto&) { return {}; }

 private:
  Error Diverged(const StorePath& path, const std::string& what) const {
    return {kStoreDiverged, fmt::format("'{}' of volume {} {}; the record was: {}", path.Printable(),
                                        record_.volume.value, what, Describe(record_))};
  }

  static Error Failed(const std::string& what, const StorePath& path) {
    return ErrnoError("cannot " + what, path.Printable());
  }

  // Nothing is there at all.
  Error Missing(const StorePath& path) const {
    if (to_.differs) return {ENOENT, fmt::format("'{}' is missing", path.Printable())};
    return Diverged(path, "is missing");
  }

  // A call on a directory entry failed: these errors say that the tree isn't the expected one.
  Error FailedEntry(const char* what, const StorePath& path) const {
    switch (errno) {
      case EEXIST:
        return Diverged(path, "is there and should not be");
      case ENOENT:
        return Missing(path);
      case ENOTEMPTY:
        return Diverged(path, "holds entries that the journal doesn't know");
      case ENOTDIR:
      case EISDIR:
        return Diverged(path, "is of another type");
      default:
        return Failed(what, path);
    }
  }

  Result<EntryRef> Parent(const StorePath& path) {
    auto entry = ClosedParent(path);
    if (entry) access_.Lift(entry->parent.get());
    return entry;
  }

  Result<EntryRef> ClosedParent(const StorePath& path) const {
    if (to_.parent >= 0)
      return EntryRef{UniqueFd(::fcntl(to_.parent, F_DUPFD_CLOEXEC, 0)), std::string(path.Name())};
    auto entry = OpenParent(root_, path);
    if (!entry && entry.error().code == ENOENT && to_.differs) return Missing(path.Parent());
    if (!entry &&
        (entry.error().code == ENOENT || entry.error().code == ENOTDIR || entry.error().code == ELOOP))
      return Diverged(path.Parent(), "is not the directory that it should be");
    return entry;
  }

  // Of a node that is there: that its new folder is missing says nothing of the node.
  Result<EntryRef> NewParent(const StorePath& path) {
    auto entry = Parent(path);
    if (!entry && entry.error().code == ENOENT) return Diverged(path, "lies in a folder that is missing");
    return entry;
  }

  Result<Found> Find(const StorePath& path, FileId expected) const {
    if (to_.orphan >= 0) {
      HAWSER_ASSIGN(const struct stat info, StatFd(to_.orphan));
      return Found{UniqueFd(::fcntl(to_.orphan, F_DUPFD_CLOEXEC, 0)), info};
    }
    auto fd = OpenBeneath(root_, path, O_PATH);
    if (!fd) {
      const int code = fd.error().code;
      if (code == ENOENT || code == ENOTDIR || code == ELOOP) return Missing(path);
      return std::move(fd).error();
    }
    HAWSER_ASSIGN(const FileId id, ReadFileId(ProcPath(fd->get())));
    // A primary that keeps no ids of values names none.
    const bool is_unnamed_value = expected == kNoFileId && IsValueId(id);
    if (id != expected && !is_unnamed_value)
      return Diverged(path, fmt::format("has file id {:x} where {:x} belongs", id.value, expected.value));
    HAWSER_ASSIGN(const struct stat info, StatFd(fd->get()));
    if (expected == kNoFileId && (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)))
      return Diverged(path, "is a file or directory without a file id: Hawser did not make it");
    return Found{*std::move(fd), info};
  }

  // A writable descriptor of the file that a Write, Truncate or Allocate changes, its state before checked.
  template <class R>
  Result<int> FileToChange(const R& r) {
    if (to_.open_file >= 0) return to_.open_file;
    HAWSER_ASSIGN(const Found node, Find(r.path, r.file));
    const FileState state = StateOf(node.info);
    const FileState expected{r.before.size, times_.Kept(r.before.mtime)};
    if (to_.orphan < 0 && !to_.differs && state != expected) {
      return Diverged(
          r.path,
          fmt::format("was changed by somebody else (size {}, mtime {} where size {}, mtime {} "
                      "belong)",
                      state.size, state.mtime.nanoseconds, expected.size, expected.mtime.nanoseconds));
    }
    HAWSER_ASSIGN(opened_, OpenWritable(node, r.path));
    return opened_.get();
  }

  static Result<UniqueFd> OpenWritable(const Found& node, const StorePath& path) {
    const std::string proc = ProcPath(node.fd.get());
    UniqueFd fd(::open(proc.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd && errno == EACCES) {
      const OwnerAccess access(proc);
      fd = UniqueFd(::open(proc.c_str(), O_WRONLY | O_CLOEXEC));
    }
    if (!fd) return Failed("open", path);
    return fd;
  }

  // Without root, a node that its owner can't write couldn't be given an id; Finish() sets the mode.
  static mode_t FirstMode(const Create& r) { return ::geteuid() == 0 ? r.mode : r.mode | S_IRWXU; }

  Status MakeNode(const EntryRef& entry, const Create& r) {
    switch (r.kind) {
      case NodeKind::kRegular: {
        const UniqueFd fd(::openat(entry.parent.get(), entry.name.c_str(),
                                   O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, FirstMode(r)));
        if (!fd) return FailedEntry("create", r.path);
        is_made_ = true;
        HAWSER_TRY(WriteFileId(fd.get(), r.file));
        return Finish(entry, r);
      }
      case NodeKind::kDirectory: {
        if (::mkdirat(entry.parent.get(), entry.name.c_str(), FirstMode(r)) != 0)
          return FailedEntry("create", r.path);
        is_made_ = true;
        const UniqueFd fd(::openat(entry.parent.get(), entry.name.c_str(),
                                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!fd) return Failed("open", r.path);
        HAWSER_TRY(WriteFileId(fd.get(), r.file));
        return Finish(entry, r);
      }
      case NodeKind::kSymlink:
        if (::symlinkat(r.target.c_str(), entry.parent.get(), entry.name.c_str()) != 0)
          return FailedEntry("create", r.path);
        is_made_ = true;
        HAWSER_TRY(MarkValue(entry, r));
        return Finish(entry, r);
      case NodeKind::kFifo:
        return MakeSpecial(entry, r, S_IFIFO);
      case NodeKind::kSocket:
        return MakeSpecial(entry, r, S_IFSOCK);
      case NodeKind::kCharDevice:
        return MakeSpecial(entry, r, S_IFCHR);
      case NodeKind::kBlockDevice:
        return MakeSpecial(entry, r, S_IFBLK);
    }
    return Error{EINVAL, "unknown kind of node"};
  }

  Status MakeSpecial(const EntryRef& entry, const Create& r, mode_t type) {
    if (::mknodat(entry.parent.get(), entry.name.c_str(), type | r.mode, r.device) != 0)
      return FailedEntry("create", r.path);
    is_made_ = true;
    HAWSER_TRY(MarkValue(entry, r));
    return Finish(entry, r);
  }

  static Status MarkValue(const EntryRef& entry, const Create& r) {
    if (r.file == kNoFileId) return {};
    const UniqueFd fd(::openat(entry.parent.get(), entry.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return Failed("open", r.path);
    return WriteValueId(ProcPath(fd.get()), r.file);
  }

  // Owner, ACLs, mode and times of a new node, whatever the directory's set-gid bit, default ACL or our umask
  // made of them. That it inherited an ACL of which the record knows nothing can only be in redo.
  Status Finish(const EntryRef& entry, const Create& r) const {
    const UniqueFd fd(::openat(entry.parent.get(), entry.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return Failed("open", r.path);
    HAWSER_ASSIGN(struct stat info, StatFd(fd.get()));
    if (info.st_uid != r.uid || info.st_gid != r.gid) {
      HAWSER_TRY(SetOwner(fd.get(), r.path, r.uid, r.gid));
      HAWSER_ASSIGN(info, StatFd(fd.get()));
    }
    if (r.access_acl || r.default_acl) {
      HAWSER_TRY(SetAcl(fd.get(), r.path, kAccessAcl, r.access_acl));
      HAWSER_TRY(SetAcl(fd.get(), r.path, kDefaultAcl, r.default_acl));
      HAWSER_ASSIGN(info, StatFd(fd.get()));
    }
    if (r.kind != NodeKind::kSymlink && (info.st_mode & 07777) != r.mode &&
        ChangeMode(ProcPath(fd.get()), r.mode) != 0)
      return Failed("set the mode of", r.path);
    const timespec times[2] = {r.time.ToTimespec(), r.time.ToTimespec()};
    if (::utimensat(fd.get(), "", times, AT_EMPTY_PATH) != 0) return Failed("set the times of", r.path);
    return {};
  }

  static Status SetAcl(int fd, const StorePath& path, const char* name,
                       const std::optional<std::string>& acl) {
    if (acl && ::setxattr(ProcPath(fd).c_str(), name, acl->data(), acl->size(), 0) != 0)
      return Failed(fmt::format("set xattr {} of", name), path);
    return {};
  }

  Status SetOwner(int fd, const StorePath& path, std::optional<std::uint32_t> uid,
                  std::optional<std::uint32_t> gid) const {
    constexpr auto kKeep = static_cast<std::uint32_t>(-1);
    if (::fchownat(fd, "", uid.value_or(kKeep), gid.value_or(kKeep), AT_EMPTY_PATH) != 0)
      return Failed("change the owner of", path);
    return {};
  }

  // Of a file whose data has been changed.
  template <class R>
  Status SetTimeAndMode(int fd, const R& r) const {
    const timespec times[2] = {{0, UTIME_OMIT}, r.mtime.ToTimespec()};
    if (::futimens(fd, times) != 0) return Failed("set the times of", r.path);
    if (r.mode && ChangeMode(ProcPath(fd), *r.mode) != 0) return Failed("change the mode of", r.path);
    return {};
  }

  int root_;
  const StoreTimes& times_;
  const Record& record_;
  Bytes payload_;
  ApplyTo to_;
  UniqueFd opened_;
  FolderAccess access_;
  bool is_made_ = false;  // the node that a Create makes
};

}  // namespace

Status Store::Apply(const Record& record, Bytes payload, ApplyTo to) {
  if (keeps_value_ids_) return std::visit(Applier(root_.get(), times_, record, payload, to), record.body);
  const Record local = Localized(record);
  return std::visit(Applier(root_.get(), times_, local, payload, to), local.body);
}

Status Store::SetFolderTime(const StorePath& path, Timestamp mtime) const {
  HAWSER_ASSIGN(const UniqueFd folder, OpenBeneath(root_.get(), path, O_PATH | O_DIRECTORY));
  return hawser::SetFolderTime(folder.get(), mtime);
}

}  // namespace hawser
