// A volume's store: its backing directory, plain files. Reading it, and the one function that changes it:
// Apply.
//
// Every replica, the primary included, changes its store by applying journaled records and in no other way
// (DESIGN section 2: log first, then apply, everywhere by the same code). Applying is deterministic: all
// replicas that applied the same groups hold the same trees, attribute for attribute; ctime, atime and inode
// numbers excepted.
//
// Thread safe as far as the records applied at the same time do not conflict (no common inode or directory
// entry). Nothing here waits for a flush except Flush().
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "common/record/record.h"
#include "volume/store/beneath.h"
#include "volume/store/identity.h"
#include "volume/store/store_mark.h"
#include "volume/store/store_times.h"

namespace hawser {

// The errno in errors that mean: this store isn't what the journal says it must be (I7). The replica stops.
inline constexpr int kStoreDiverged = EUCLEAN;

struct StoreOptions {
  std::string root;
  std::string group;  // with the volume's name kept on the root, so that stores cannot be mixed up
  VolumeName volume;
  bool value_ids = true;        // false: as if this process might not set trusted xattrs
  bool has_checkpoint = false;  // an empty folder isn't this store then (store_mark.h)
};

// What the primary and redo know already and others find by path. Descriptors, or -1.
struct ApplyTo {
  // A writable descriptor of the file that a Write, Truncate or Allocate changes.
  int open_file = -1;
  // An O_PATH descriptor of a node that is no longer in the tree but still open: it is changed whatever the
  // record's path. Such a change is never journaled.
  int orphan = -1;
  // An O_PATH descriptor of the directory that the record's path lies in, whatever that directory is called
  // now.
  int parent = -1;
  // The store is known not to be what the journal says where the record goes: the file's state before isn't
  // compared, and a node that is missing is ENOENT, not a divergence.
  bool differs = false;
};

class Store {
 public:
  // Opens the backing directory and takes it for this process. The first time it must be empty; its root gets
  // its id then. Errors say what to do: no such folder, no permission, not empty (ENOTEMPTY), another
  // volume's store, filesystem without user xattrs (ENOTSUP), in use by another process (EBUSY), not the
  // store of which there is a checkpoint (ESTALE).
  static Result<std::unique_ptr<Store>> Open(const StoreOptions& options);

  const std::string& root_path() const { return options_.root; }
  const VolumeName& volume() const { return options_.volume; }
  int root_fd() const { return root_.get(); }
  // Whether this is the first start on this directory.
  bool is_new() const { return is_new_; }
  // Whether it holds nothing.
  Result<bool> IsEmpty() const;
  // Whether symlinks and special files have ids here: that was settled by the first process to open the
  // store.
  bool keeps_value_ids() const { return keeps_value_ids_; }
  // How its filesystem keeps times; found out at Open.
  const StoreTimes& times() const { return times_; }
  // The record as it is for this store: ids that it doesn't keep are left out.
  Record Localized(const Record& record) const;

  // Reading, by path. An O_PATH descriptor pins a node of any type; the other calls take one.
  Result<UniqueFd> Pin(const StorePath& path) const { return OpenBeneath(root_.get(), path, O_PATH); }
  Result<struct stat> Stat(const StorePath& path) const;
  // Opens the node behind an O_PATH descriptor anew with `flags`, without touching its atime where that's
  // allowed. O_APPEND, O_DIRECT and everything that would create or truncate are left out: the kernel has
  // resolved them.
  Result<UniqueFd> Reopen(int pinned, int flags) const;
  Result<struct statvfs> Space() const;

  // Applies one record. On kStoreDiverged nothing was changed. Any other error is the disk's: the record may
  // be applied in part.
  Status Apply(const Record& record, Bytes payload, ApplyTo to = {});

  // Of which checkpoint it is.
  Result<StoreMarks> Marks() const { return ReadStoreMarks(root_.get(), options_.root); }
  Status SetMarks(const StoreMarks& marks) const {
    return WriteStoreMarks(root_.get(), marks, options_.root);
  }

  Status SetFolderTime(const StorePath& path, Timestamp mtime) const;

  // Whether there is room for that much data and what belongs to it, and then some. Unknown: no.
  bool HasRoom(std::uint64_t bytes) const;
  // Whether a file may have other names than this one.
  bool HasOtherNames(const StorePath& path) const;
  // Which of these nodes are anywhere in it. Walks through all of it.
  Result<std::set<FileId>> Present(const std::set<FileId>& files) const;

  // Returns when everything applied before the call survives a power cut (syncfs).
  Status Flush() const;

 private:
  explicit Store(StoreOptions options) : options_(std::move(options)) {}

  Status Claim();
  void FindOutTimes();

  StoreOptions options_;
  UniqueFd root_;
  bool is_new_ = false;
  bool keeps_value_ids_ = false;
  StoreTimes times_;
};

// fstat of a descriptor of any kind, O_PATH too.
Result<struct stat> StatFd(int fd);

FileState StateOf(const struct stat& info);
NodeKind KindOf(mode_t mode);

}  // namespace hawser
