// The outer ring: binds libfuse's requests to Operations. The only place that sees a request, and the only
// one that replies: binding.cc has a line for each operation, frame.h what is common to all, replies.h the
// shapes of answers. docs/ARCHITECTURE.md, "FUSE".
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

#include <atomic>
#include <memory>
#include <unordered_map>

#include "common/base/mutex.h"
#include "common/base/random.h"
#include "volume/mount/kill_watch.h"
#include "volume/mount/operations.h"
#include "volume/mount/waiting_room.h"

namespace hawser {

// What the kernel has open, by what a fuse_file_info carries: its address. Freed when the kernel says so, or
// with the session: a mount that is detached while in use hears of no more releases.
class OpenHandles {
 public:
  template <class Handle>
  std::uint64_t Keep(std::unique_ptr<Handle> handle) {
    const auto key = reinterpret_cast<std::uint64_t>(handle.get());
    const MutexLock lock(mutex_);
    handles_.emplace(key, std::move(handle));
    return key;
  }
  void Close(std::uint64_t key) {
    std::shared_ptr<void> closed;  // outside the lock
    const MutexLock lock(mutex_);
    if (const auto found = handles_.find(key); found != handles_.end()) {
      closed = std::move(found->second);
      handles_.erase(found);
    }
  }

 private:
  Mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<void>> handles_ HAWSER_GUARDED_BY(mutex_);
};

// What a session's requests are run against; libfuse's userdata.
struct BindingContext {
  Volume& volume;
  const OperationsOptions options;
  WaitingRoom waiting_room{};
  KillWatch kill_watch{[this] { waiting_room.RunKilled(); }};
  OpenHandles handles{};
  std::atomic<bool> greeted{false};  // the kernel's greeting has been answered
  // Of all nodes of the session. The kernel puts it into file handles (name_to_handle_at, NFS) beside the
  // node's number, and keeps 32 bits of it: handles of an earlier session, whose numbers were other files',
  // are stale.
  const std::uint32_t generation = static_cast<std::uint32_t>(RandomNumber());
};

inline BindingContext& ContextOf(fuse_req_t req) {
  return *static_cast<BindingContext*>(fuse_req_userdata(req));
}

const fuse_lowlevel_ops& FuseOperations();

}  // namespace hawser
