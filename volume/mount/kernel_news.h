// What the kernel is to be told of a primary's volume: what has become stale otherwise than by the answer to
// a call that the kernel was waiting for. The session's thread tells it, and nobody waits for that: the
// kernel keeps a directory locked during a call, so a notice may wait for a call, and that one for the relay.
//
// Thread safe; a leaf.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "common/base/mutex.h"
#include "volume/mount/inode_table.h"

namespace hawser {

// What the kernel keeps of a volume and is to be told to give up.
struct Stale {
  std::vector<NodeId> nodes;               // their content or attributes have changed
  std::vector<InodeTable::Entry> entries;  // these names lead elsewhere now, or nowhere

  bool empty() const { return nodes.empty() && entries.empty(); }
  void Add(Stale more);
};

class KernelNews {
 public:
  void Tell(Stale stale);
  // All that was told since the last time; waits while that is nothing. nullopt once `end` is set and Wake()
  // was called.
  std::optional<Stale> Next(const std::atomic<bool>& end);
  void Wake();

 private:
  Mutex mutex_;
  CondVar told_;
  Stale stale_ HAWSER_GUARDED_BY(mutex_);
};

}  // namespace hawser
