#include "volume/mount/binding.h"

#include "volume/mount/frame.h"
#include "volume/mount/request_buffers.h"

namespace hawser {

namespace {

FileHandle& FileOf(const fuse_file_info* info) { return *reinterpret_cast<FileHandle*>(info->fh); }
DirectoryHandle& DirectoryOf(const fuse_file_info* info) {
  return *reinterpret_cast<DirectoryHandle*>(info->fh);
}
const FileHandle* FileOrNull(const fuse_file_info* info) { return info == nullptr ? nullptr : &FileOf(info); }

// Data of the request that this thread works on.
Payload PayloadOf(const char* data, std::size_t size) {
  return {AsBytes({data, size}), RequestBuffers::Current()};
}

void OnInit(void* userdata, fuse_conn_info* connection) {
  auto& context = *static_cast<BindingContext*>(userdata);
  // They are agreed upon once, and serve whichever role the volume comes to have.
  //
  // HANDLE_KILLPRIV: records say which mode is left (privileges.h). Without ATOMIC_O_TRUNC the kernel
  // truncates by a setattr. No write-back cache: acknowledged means journaled (I1).
  //
  // Not AUTO_INVAL_DATA: with it the kernel takes every new mtime for a change behind its back, also that of
  // its own writes, and drops all pages of the file at the next read (Linux 6.18: writing to a megabyte that
  // is read again after each write, ten times, makes 80 requests to read instead of none). So a secondary's
  // pages are given up when a file is opened, when its size has changed (the kernel does that by itself), and
  // when replay says so (Volume::TakeStale): for the moment between a group's being seen and the kernel's
  // being told, who has had a file open since before may read it as it was.
  //
  // CACHE_SYMLINKS does no harm on a secondary: a symlink never changes, and its name is asked for at each
  // use.
  unsigned wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_DONT_MASK |
                    FUSE_CAP_POSIX_ACL | FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO |
                    FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_HANDLE_KILLPRIV;
  if (!context.options.xattrs) wanted &= ~static_cast<unsigned>(FUSE_CAP_POSIX_ACL);
  connection->want = connection->capable & wanted;
  connection->max_write = kMiB;
  connection->max_background = 64;
  connection->congestion_threshold = 48;
  connection->time_gran = 1;
}

void OnLookup(fuse_req_t req, fuse_ino_t parent, const char* name) {
  Run(req, [&](Operations& ops, const Caller&) { return ops.Lookup(NodeId(parent), name); });
}
void OnForget(fuse_req_t req, fuse_ino_t node, std::uint64_t count) {
  GiveBack(req, [&](Operations& ops) {
    ops.Forget(NodeId(node), count);
    fuse_reply_none(req);
  });
}
void OnForgetMulti(fuse_req_t req, std::size_t count, fuse_forget_data* forgets) {
  GiveBack(req, [&](Operations& ops) {
    for (const auto& forget : std::span(forgets, count)) ops.Forget(NodeId(forget.ino), forget.nlookup);
    fuse_reply_none(req);
  });
}

void OnGetattr(fuse_req_t req, fuse_ino_t node, fuse_file_info*) {
  Run(req, [&](Operations& ops, const Caller&) { return ops.GetAttributes(NodeId(node), nullptr); });
}

std::optional<Timestamp> TimeOf(int to_set, int set, int now, const timespec& time) {
  if ((to_set & now) != 0) return Now();
  if ((to_set & set) != 0) return Timestamp::From(time);
  return std::nullopt;
}

void OnSetattr(fuse_req_t req, fuse_ino_t node, struct stat* info, int to_set, fuse_file_info* file) {
  AttributeChange change;
  if ((to_set & FUSE_SET_ATTR_MODE) != 0) change.mode = info->st_mode;
  if ((to_set & FUSE_SET_ATTR_UID) != 0) change.uid = info->st_uid;
  if ((to_set & FUSE_SET_ATTR_GID) != 0) change.gid = info->st_gid;
  if ((to_set & FUSE_SET_ATTR_SIZE) != 0) change.size = static_cast<std::uint64_t>(info->st_size);
  change.atime = TimeOf(to_set, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW, info->st_atim);
  change.mtime = TimeOf(to_set, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW, info->st_mtim);
  // A truncation clears setuid and setgid by itself; the mode that the kernel sends along knows less about
  // groups. It sets the time by itself, too.
  if (change.size) change.mode.reset();
  if (change.size && (to_set & FUSE_SET_ATTR_MTIME_NOW) != 0) change.mtime.reset();
  RunChange(req, [=, handle = FileOrNull(file)](Operations& ops, const Caller& who) {
    return ops.SetAttributes(who, NodeId(node), change, handle);
  });
}

void OnReadlink(fuse_req_t req, fuse_ino_t node) {
  Run(req, [&](Operations& ops, const Caller&) -> Result<Target> {
    HAWSER_ASSIGN(std::string target, ops.ReadLink(NodeId(node)));
    return Target{std::move(target)};
  });
}
void OnStatfs(fuse_req_t req, fuse_ino_t) {
  Run(req, [](Operations& ops, const Caller&) { return ops.Space(); });
}

void OnMknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
  RunChange(req, [=](Operations& ops, const Caller& who) {
    return ops.MakeNode(who, NodeId(parent), name, {KindOf(mode), mode, device, {}});
  });
}
void OnMkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode) {
  RunChange(req, [=](Operations& ops, const Caller& who) {
    return ops.MakeNode(who, NodeId(parent), name, {NodeKind::kDirectory, mode, 0, {}});
  });
}
void OnSymlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name) {
  RunChange(req, [=](Operations& ops, const Caller& who) {
    return ops.MakeNode(who, NodeId(parent), name, {NodeKind::kSymlink, 0777, 0, target});
  });
}
void OnCreate(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* info) {
  RunChange(
      req,
      [=, flags = info->flags](Operations& ops, const Caller& who) {
        return ops.CreateFile(who, NodeId(parent), name, mode, flags);
      },
      *info);
}
void OnUnlink(fuse_req_t req, fuse_ino_t parent, const char* name) {
  RunChange(req, [=](Operations& ops, const Caller& who) { return ops.Unlink(who, NodeId(parent), name); });
}
void OnRmdir(fuse_req_t req, fuse_ino_t parent, const char* name) {
  RunChange(req, [=](Operations& ops, const Caller& who) {
    return ops.RemoveDirectory(who, NodeId(parent), name);
  });
}
void OnRename(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
              const char* new_name, unsigned flags) {
  RunChange(req, [=](Operations& ops, const Caller& who) {
    return ops.Rename(who, NodeId(parent), name, NodeId(new_parent), new_name, flags);
  });
}
void OnLink(fuse_req_t req, fuse_ino_t node, fuse_ino_t new_parent, const char* new_name) {
  RunChange(req, [=](Operations& ops, const Caller& who) {
    return ops.Link(who, NodeId(node), NodeId(new_parent), new_name);
  });
}

void OnOpen(fuse_req_t req, fuse_ino_t node, fuse_file_info* info) {
  Run(
      req, [&](Operations& ops, const Caller&) { return ops.Open(NodeId(node), info->flags); }, *info);
}
void OnRead(fuse_req_t req, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
  thread_local Buffer buffer;
  if (buffer.size() < size) buffer.resize(size);
  Run(req, [&](Operations& ops, const Caller&) -> Result<Content> {
    const auto into = std::span(buffer).first(size);
    HAWSER_ASSIGN(const std::size_t got, ops.Read(FileOf(info), into, static_cast<std::uint64_t>(offset)));
    return Content{into.first(got)};
  });
}
void OnWrite(fuse_req_t req, fuse_ino_t, const char* data, std::size_t size, off_t offset,
             fuse_file_info* info) {
  const bool from_page_cache = info->writepage != 0;
  const bool append = !from_page_cache && (info->flags & O_APPEND) != 0;
  RunChange(
      req, [=, &file = FileOf(info), payload = PayloadOf(data, size)](Operations& ops, const Caller& caller) {
        Caller who = caller;
        if (from_page_cache) who.uid = 0;  // whoever wrote there is long gone
        return ops.Write(who, file, payload, static_cast<std::uint64_t>(offset), append);
      });
}
void OnRelease(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  GiveBack(req, [&](Operations&) {
    ContextOf(req).handles.Close(info->fh);
    fuse_reply_err(req, 0);
  });
}
void OnFsync(fuse_req_t req, fuse_ino_t, int data_only, fuse_file_info* info) {
  Run(req, [&](Operations& ops, const Caller&) { return ops.Sync(FileOf(info).fd->get(), data_only != 0); });
}
void OnFallocate(fuse_req_t req, fuse_ino_t, int mode, off_t offset, off_t length, fuse_file_info* info) {
  RunChange(req, [=, &file = FileOf(info)](Operations& ops, const Caller& who) {
    return ops.Allocate(who, file, mode, static_cast<std::uint64_t>(offset),
                        static_cast<std::uint64_t>(length));
  });
}
void OnLseek(fuse_req_t req, fuse_ino_t, off_t offset, int whence, fuse_file_info* info) {
  Run(req, [&](Operations& ops, const Caller&) { return ops.Seek(FileOf(info), offset, whence); });
}
void OnCopyFileRange(fuse_req_t req, fuse_ino_t, off_t from_offset, fuse_file_info* from, fuse_ino_t,
                     off_t to_offset, fuse_file_info* to, std::size_t length, int) {
  RunChange(req, [=, &source = FileOf(from), &target = FileOf(to)](Operations& ops, const Caller& who) {
    return ops.CopyRange(who, source, static_cast<std::uint64_t>(from_offset), target,
                         static_cast<std::uint64_t>(to_offset), length);
  });
}

void OnOpendir(fuse_req_t req, fuse_ino_t node, fuse_file_info* info) {
  Run(
      req, [&](Operations& ops, const Caller&) { return ops.OpenDir(NodeId(node)); }, *info);
}
void OnReleasedir(fuse_req_t req, fuse_ino_t node, fuse_file_info* info) { OnRelease(req, node, info); }
void OnFsyncdir(fuse_req_t req, fuse_ino_t, int data_only, fuse_file_info* info) {
  Run(req, [&](Operations& ops, const Caller&) {
    return ops.Sync(::dirfd(DirectoryOf(info).listing.get()), data_only != 0);
  });
}

// Writes an entry into `room`, if it fits; the bytes that it needs.
std::size_t AddEntry(fuse_req_t req, std::span<char> room, const Operations::DirectoryEntry& entry,
                     bool plus) {
  fuse_entry_param param{};
  if (entry.entry) param = Param(req, *entry.entry);
  if (!entry.entry) {
    param.attr.st_ino = entry.inode;
    param.attr.st_mode = entry.type;
  }
  const char* name = entry.name.c_str();
  return plus ? fuse_add_direntry_plus(req, room.data(), room.size(), name, &param, entry.next)
              : fuse_add_direntry(req, room.data(), room.size(), name, &param.attr, entry.next);
}

void ListDirectory(fuse_req_t req, std::size_t size, off_t offset, fuse_file_info* info, bool plus) {
  Run(req, [&](Operations& ops, const Caller&) -> Result<Listing> {
    Listing reply{std::vector<char>(size)};
    std::size_t used = 0;
    const auto add = [&](const Operations::DirectoryEntry& entry) {
      const std::size_t needed = AddEntry(req, std::span(reply.bytes).subspan(used), entry, plus);
      if (needed > size - used) return false;
      used += needed;
      return true;
    };
    auto listed = ops.ReadDirectory(DirectoryOf(info), offset, plus, add);
    if (!listed && used == 0) return std::move(listed).error();
    reply.bytes.resize(used);
    return reply;
  });
}
void OnReaddir(fuse_req_t req, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
  ListDirectory(req, size, offset, info, false);
}
void OnReaddirplus(fuse_req_t req, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
  ListDirectory(req, size, offset, info, true);
}

void OnGetxattr(fuse_req_t req, fuse_ino_t node, const char* name, std::size_t size) {
  Run(req, [&](Operations& ops, const Caller&) -> Result<XattrReply> {
    HAWSER_ASSIGN(std::string value, ops.GetXattr(NodeId(node), name));
    return XattrReply{std::move(value), size};
  });
}
void OnListxattr(fuse_req_t req, fuse_ino_t node, std::size_t size) {
  Run(req, [&](Operations& ops, const Caller& who) -> Result<XattrReply> {
    HAWSER_ASSIGN(std::string names, ops.ListXattrs(who, NodeId(node)));
    return XattrReply{std::move(names), size};
  });
}
void OnSetxattr(fuse_req_t req, fuse_ino_t node, const char* name, const char* value, std::size_t size,
                int flags) {
  RunChange(req, [=, payload = PayloadOf(value, size)](Operations& ops, const Caller& who) -> Status {
    return ops.SetXattr(who, NodeId(node), name, payload, flags);
  });
}
void OnRemovexattr(fuse_req_t req, fuse_ino_t node, const char* name) {
  RunChange(req, [=](Operations& ops, const Caller& who) -> Status {
    return ops.RemoveXattr(who, NodeId(node), name);
  });
}

}  // namespace

// Locks (flock, fcntl) and access checks are the kernel's, and nothing is to be done when a descriptor is
// closed (replies.cc: noflush): their operations are left out.
const fuse_lowlevel_ops& FuseOperations() {
  static const fuse_lowlevel_ops operations = [] {
    fuse_lowlevel_ops ops{};
    ops.init = OnInit;
    ops.lookup = OnLookup;
    ops.forget = OnForget;
    ops.forget_multi = OnForgetMulti;
    ops.getattr = OnGetattr;
    ops.setattr = OnSetattr;
    ops.readlink = OnReadlink;
    ops.statfs = OnStatfs;
    ops.mknod = OnMknod;
    ops.mkdir = OnMkdir;
    ops.symlink = OnSymlink;
    ops.create = OnCreate;
    ops.unlink = OnUnlink;
    ops.rmdir = OnRmdir;
    ops.rename = OnRename;
    ops.link = OnLink;
    ops.open = OnOpen;
    ops.read = OnRead;
    ops.write = OnWrite;
    ops.release = OnRelease;
    ops.fsync = OnFsync;
    ops.fallocate = OnFallocate;
    ops.lseek = OnLseek;
    ops.copy_file_range = OnCopyFileRange;
    ops.opendir = OnOpendir;
    ops.readdir = OnReaddir;
    ops.readdirplus = OnReaddirplus;
    ops.releasedir = OnReleasedir;
    ops.fsyncdir = OnFsyncdir;
    ops.getxattr = OnGetxattr;
    ops.listxattr = OnListxattr;
    ops.setxattr = OnSetxattr;
    ops.removexattr = OnRemovexattr;
    return ops;
  }();
  return operations;
}

}  // namespace hawser
