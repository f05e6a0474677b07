// What a mount asks of the part that its node plays for the volume at present: primary (the funnel,
// fuse_primary) or secondary (fuse_secondary). Calls hold it by a lease (role_slot.h), the node changes it in
// place (switch_role.h); the kernel's mount stays. Thread safe.
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/base/payload.h"
#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "common/record/record.h"
#include "volume/mount/inode_table.h"

namespace hawser {

// Of a change whose role waits no longer, or doesn't begin to: EIO to its caller. There can be as many as
// there are calls, so the role sees to it that the log says so, and not of each.
inline constexpr int kGivenUp = ETIME;

// Who must not run at the same time as a mutation.
struct LockSet {
  std::vector<ino_t> nodes;    // inodes of the store whose content, attributes or entries change
  std::vector<ino_t> lineage;  // directories that the record's paths lead through
  std::optional<ino_t> moved;  // a directory whose path changes: whatever lies below it is held back

  friend bool operator==(const LockSet&, const LockSet&) = default;
};

// What was decided, with the locks held.
struct Decision {
  Body body;
  SharedFd open_file;  // see ApplyTo; kept until the record is applied
  SharedFd orphan;     // set: the node is no longer in the tree; the change stays local
};

// One mutating call. The callbacks run in the calling thread.
struct Mutation {
  // The locks needed, as things stand now. Called again once they are held: if it then says otherwise, the
  // call starts over. `decide` comes after the last call, and builds on what it has found.
  std::function<Result<LockSet>()> locks;
  // Checks that the store will accept the change, and decides the record (ids, mode, times). An error is the
  // caller's errno. nullopt: done, nothing changes.
  std::function<Result<std::optional<Decision>>()> decide;
  Payload payload;
  // Set when the calling process is being killed, or the role ends: the call need not go on waiting.
  std::atomic<bool>* cancel = nullptr;
  SteadyClock::time_point came;  // when the call was made: from then on its time is counted
};

// For how long the kernel may answer by itself.
struct CachePolicy {
  double attributes_seconds = 0;
  double entries_seconds = 0;
  bool keep_pages = false;  // keep the page cache of a file from one open to the next
};

class Role {
 public:
  virtual ~Role() = default;

  // Set: no call is served, each gets this error. What the kernel gives back is taken all the same.
  virtual const Error* refuses() const { return nullptr; }

  virtual bool writable() const = 0;
  virtual CachePolicy cache() const = 0;

  // Returns once the change is journaled and applied, or with the caller's errno. EROFS on a secondary.
  virtual Status Mutate(const Mutation& mutation) = 0;

  // fsync of an open file or directory of the store.
  virtual Status Sync(int fd, bool data_only) = 0;

  // A new id for a file or directory about to be created.
  virtual Result<FileId> NewFileId() = 0;

  // The role is over: changes are refused from here on, and those that wait for somebody else give up. Reads
  // go on. Any thread; again does nothing.
  virtual void End() = 0;
};

}  // namespace hawser
