// A volume on this node: its store, the nodes that the kernel knows of it, the gate between its readers and
// appliers, and the role it has at present. What FUSE operations, the funnel and the replayer share.
#pragma once

#include <memory>
#include <shared_mutex>

#include "common/base/mutex.h"
#include "common/base/result.h"
#include "volume/mount/inode_table.h"
#include "volume/mount/kernel_news.h"
#include "volume/mount/role_slot.h"
#include "volume/mount/view_gate.h"
#include "volume/store/store.h"

namespace hawser {

// A node pinned for the length of one call: an O_PATH descriptor, whatever its names do meanwhile.
struct PinnedNode {
  SharedFd fd;
  std::optional<StorePath> path;  // nullopt: it has no name that the kernel knows

  int get() const { return fd->get(); }
};

class Volume {
 public:
  explicit Volume(std::unique_ptr<Store> store);

  Store& store() { return *store_; }
  InodeTable& inodes() { return inodes_; }
  ViewGate& gate() { return gate_; }
  const VolumeName& name() const { return store_->volume(); }

  // The role is put there by the node before the mount answers, and changed by SwitchRole.
  RoleSlot& roles() { return roles_; }

  // Pins a node that the kernel knows. ESTALE if it is gone. Takes the gate.
  Result<PinnedNode> Pin(NodeId node);
  // Pins an entry of a directory that the kernel knows. ENOENT, ENAMETOOLONG, ... Takes the gate.
  Result<PinnedNode> PinEntry(NodeId parent, const std::string& name);
  // For those about to change a node: pins it where it was located, with its turn taken, so that it is there
  // still. Finds the path of a node that has one which the kernel doesn't know. Takes the gate.
  Result<PinnedNode> PinForChange(const InodeTable::Whereabouts& at);

  // A lookup of the kernel's: the entry's node is remembered (one lookup) and its attributes are returned.
  // Takes the gate.
  struct Entry {
    NodeId node;
    struct stat info;
    bool kept = true;  // the kernel may keep it
  };
  Result<Entry> Lookup(NodeId parent, const std::string& name);
  // The same; that there is no such entry is remembered, too, and node 0 is returned.
  Result<Entry> LookupOrMiss(NodeId parent, const std::string& name);

  // Applies a record to the store and follows it in the inode table; takes the gate where others must not
  // look meanwhile. For the primary, whose kernel takes it from the call's answer.
  Status Apply(const Record& record, Bytes payload, ApplyTo to = {});
  // The same for a record whose caller has left, so that no answer tells the kernel: it is told by news().
  // Takes the gate.
  Status ApplySettled(const Record& record, Bytes payload, ApplyTo to = {});
  // The kernel is told to look again at all that a record is about: it may have been applied in part, or made
  // up for. Takes the gate.
  void TellOf(const Record& record);
  // The kernel is told: also whoever appends to these nodes finds their end (InodeTable::AppendsAnywhere).
  void Tell(Stale stale);
  KernelNews& news() { return news_; }
  // The same for callers that hold the gate alone already. Records that don't conflict may be applied by
  // several threads at once. For replay.
  Status ApplyInGate(const Record& record, Bytes payload, ApplyTo to = {});
  // For a record that got into the store in another way: the rest of ApplyInGate.
  void FollowInGate(const Record& record);

  // What ApplyInGate and FollowInGate have made stale since the last call, in that order: the kernel is to be
  // told, outside the gate. A file that nobody has open is forgotten by it then, and its pin goes.
  Stale TakeStale();

 private:
  Result<PinnedNode> PinInGate(NodeId node);
  Result<PinnedNode> PinInGate(std::optional<StorePath> path, SharedFd pin);
  Result<PinnedNode> PinEntryInGate(NodeId parent, const std::string& name);
  Result<Entry> LookupInGate(NodeId parent, const std::string& name);
  Result<std::optional<StorePath>> FindPath(ino_t inode) const;
  void PinWhatGoes(const Body& body);
  void Follow(const Record& record, KernelKnows knows);
  std::vector<NodeId> RememberWay(const StorePath& directory);
  std::vector<NodeId> RememberWaysOfMoved(const Body& body);
  std::vector<InodeTable::Entry> StaleEntries(const Body& body) const;
  Stale StaleOnPrimary(const Body& body);
  std::optional<NodeId> KnownNode(const StorePath& path);

  std::unique_ptr<Store> store_;
  InodeTable inodes_;
  ViewGate gate_;
  RoleSlot roles_;
  KernelNews news_;

  Mutex stale_mutex_;
  Stale stale_ HAWSER_GUARDED_BY(stale_mutex_);
};

}  // namespace hawser
