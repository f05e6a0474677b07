// The filesystem calls, in Hawser's own types: the middle ring of the FUSE layer. The outer ring (binding.cc)
// turns requests into these calls and their results into replies; the inner one is Volume.
//
// A call reads the volume's store, or builds a mutation and hands it to the volume's role. Nothing here sends
// anything anywhere. Errors carry the caller's errno.
//
// One object serves one request, under the role whose lease that request holds (the frame in binding.cc):
// nothing here asks the volume which role it has, so no call begins under one and ends under another.
//
// Implemented by family: lookup_ops.cc, attribute_ops.cc, namespace_ops.cc, data_ops.cc, directory_ops.cc,
// xattr_ops.cc.
#pragma once

#include <dirent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/descriptors.h"
#include "common/base/mutex.h"
#include "common/base/payload.h"
#include "common/base/result.h"
#include "volume/mount/privileges.h"
#include "volume/mount/volume.h"

namespace hawser {

// Who calls.
struct Caller {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t umask = 0;
  InGroup in_group = [](gid_t) { return false; };
  std::atomic<bool>* cancel = nullptr;
  SteadyClock::time_point came = SteadyClock::now();
};

struct AttributesReply {
  struct stat info;
  double seconds;  // how long the kernel may keep it
};

// node 0: there is no such entry, and the kernel may remember that.
struct EntryReply {
  NodeId node;
  struct stat info;
  CachePolicy cache;
};

struct FileHandle {
  SharedFd fd;  // with the records on their way that are to be applied to it
  NodeId node;
};

struct OpenReply {
  std::unique_ptr<FileHandle> file;
  bool keep_pages;
};

struct CreateReply {
  EntryReply entry;
  OpenReply open;
};

// An open directory and where its listing stands. Calls on one handle come one at a time from the kernel, but
// a seek may come at any time.
struct DirectoryHandle {
  std::unique_ptr<DIR, int (*)(DIR*)> listing{nullptr, ::closedir};
  NodeId node;
  Mutex mutex;
  off_t offset HAWSER_GUARDED_BY(mutex) = 0;
};

struct AttributeChange {
  std::optional<mode_t> mode;
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
  std::optional<std::uint64_t> size;
  std::optional<Timestamp> atime;
  std::optional<Timestamp> mtime;
};

struct NewNode {
  NodeKind kind;
  mode_t mode = 0777;
  dev_t device = 0;
  std::string target;
};

struct OperationsOptions {
  std::optional<uid_t> uid;  // squash: the owner that all nodes are shown with and new ones get
  std::optional<gid_t> gid;
  bool xattrs = true;
};

class Operations {
 public:
  Operations(Volume& volume, const OperationsOptions& options, Role& role)
      : volume_(volume), options_(options), role_(role) {}

  // The call ends with an error. If it has changed something before, the kernel is told: it takes it that
  // nothing has changed.
  void TellIfHalfDone();

  // Lookup. A successful EntryReply counts one lookup of its node, to be given back by Forget.
  Result<EntryReply> Lookup(NodeId parent, const std::string& name);
  void Forget(NodeId node, std::uint64_t count) { volume_.inodes().Forget(node, count); }

  // Attributes. `file` may be null.
  Result<AttributesReply> GetAttributes(NodeId node, const FileHandle* file);
  Result<AttributesReply> SetAttributes(const Caller& who, NodeId node, const AttributeChange& change,
                                        const FileHandle* file);
  Result<std::string> ReadLink(NodeId node);
  Result<struct statvfs> Space();

  // Namespace.
  Result<EntryReply> MakeNode(const Caller& who, NodeId parent, const std::string& name, const NewNode& node);
  Result<CreateReply> CreateFile(const Caller& who, NodeId parent, const std::string& name, mode_t mode,
                                 int flags);
  Status Unlink(const Caller& who, NodeId parent, const std::string& name);
  Status RemoveDirectory(const Caller& who, NodeId parent, const std::string& name);
  Status Rename(const Caller& who, NodeId parent, const std::string& name, NodeId new_parent,
                const std::string& new_name, unsigned flags);
  Result<EntryReply> Link(const Caller& who, NodeId node, NodeId new_parent, const std::string& new_name);

  // Data. EMFILE: no descriptor is left for programs.
  Result<OpenReply> Open(NodeId node, int flags);
  // Fills `into` as far as the file goes; returns the bytes read.
  Result<std::size_t> Read(const FileHandle& file, std::span<std::byte> into, std::uint64_t offset);
  // All of `data` or an error. `data` is not copied. `append`: it belongs to the end of the file, which the
  // kernel takes to be at `offset`.
  Result<std::size_t> Write(const Caller& who, const FileHandle& file, Payload data, std::uint64_t offset,
                            bool append = false);
  Status Allocate(const Caller& who, const FileHandle& file, int mode, std::uint64_t offset,
                  std::uint64_t length);
  Result<off_t> Seek(const FileHandle& file, off_t offset, int whence);
  // As copy_file_range(2): may copy less than `length`.
  Result<std::size_t> CopyRange(const Caller& who, const FileHandle& from, std::uint64_t from_offset,
                                const FileHandle& to, std::uint64_t to_offset, std::size_t length);
  Status Sync(int fd, bool data_only) { return role_.Sync(fd, data_only); }

  // Directories. ReadDirectory calls `add` for each entry from `offset` on until it returns false (the reply
  // is full). With `plus` each entry but "." and ".." is looked up.
  struct DirectoryEntry {
    std::string name;
    std::uint64_t inode;
    mode_t type;
    off_t next;                       // offset of the entry after it
    std::optional<EntryReply> entry;  // with `plus`
  };
  Result<std::unique_ptr<DirectoryHandle>> OpenDir(NodeId node);
  Status ReadDirectory(DirectoryHandle& directory, off_t offset, bool plus,
                       const std::function<bool(const DirectoryEntry&)>& add);

  // Xattrs. ENOSYS where they are switched off: the kernel then asks no more.
  Result<std::string> GetXattr(NodeId node, const std::string& name);
  // Names, each ended by a NUL byte.
  Result<std::string> ListXattrs(const Caller& who, NodeId node);
  Status SetXattr(const Caller& who, NodeId node, const std::string& name, Payload value, int flags);
  Status RemoveXattr(const Caller& who, NodeId node, const std::string& name);

 private:
  Result<PinnedNode> PinToOpen(NodeId node);
  Result<OpenReply> OpenInto(DescriptorPlace place, NodeId node, int flags);

  // A node about to be changed, examined with its lock held.
  struct Subject {
    PinnedNode pin;
    struct stat info;
    FileId id;
    bool appends_anywhere = false;  // see InodeTable
    bool orphan() const { return info.st_nlink == 0; }
    StorePath path() const { return pin.path.value_or(StorePath()); }
  };
  // A directory entry about to be changed; `child` is what stands there now.
  struct Place {
    StorePath path;
    struct stat directory;
    std::string directory_path;  // in /proc
    SharedFd directory_pin;
    std::optional<Subject> child;
  };
  using Whereabouts = InodeTable::Whereabouts;
  Result<Subject> Examine(const Whereabouts& at, const FileHandle* file = nullptr);
  Result<Place> ExamineEntry(const Whereabouts& parent, const std::string& name);

  // These note where the node, or the directory, is. It stays there once the locks are held.
  Result<LockSet> LocksOf(NodeId node, Whereabouts& at);
  Result<LockSet> LocksOfEntry(NodeId parent, const std::string& name, Whereabouts& at);

  // A change of one node, also by an open file (else null): its locks, and what is decided of it once it has
  // been examined under them. nullopt: nothing changes.
  using DecideBody = std::function<Result<std::optional<Body>>(const Subject&)>;
  Status Change(const Caller& who, NodeId node, const FileHandle* file, const DecideBody& decide,
                Payload payload = {});
  // Any other change.
  Status Mutate(const Caller& who, std::function<Result<LockSet>()> locks,
                std::function<Result<std::optional<Decision>>()> decide, Payload payload = {});
  Status CreateNode(const Caller& who, NodeId parent, const std::string& name, const NewNode& node);
  Status Remove(const Caller& who, NodeId parent, const std::string& name, bool directory);
  Result<std::optional<Decision>> DecideRename(const Whereabouts& parent, const std::string& name,
                                               const Whereabouts& new_parent, const std::string& new_name,
                                               unsigned flags);
  Status Truncate(const Caller& who, NodeId node, std::uint64_t size, const FileHandle* file);

  Status CheckSpace(const struct stat& info, std::uint64_t offset, std::uint64_t length) const;
  Status CheckNewNode() const;
  Status CheckXattrs() const;
  Status LoseSetgidByAcl(const Caller& who, NodeId node);

  struct stat Shown(struct stat info) const;
  EntryReply Shown(const Volume::Entry& entry) const;

  Volume& volume_;
  const OperationsOptions& options_;
  Role& role_;
  Stale done_;  // what this call has changed so far: nothing, unless it makes several changes
};

}  // namespace hawser
