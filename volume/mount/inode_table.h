// The nodes that the kernel knows of one mount, and by which names.
//
// The kernel names a node by a number that it got from a lookup, until it forgets it. The table says what
// path such a node has now, and follows every record that renames or removes names. It holds no descriptor
// for a node that has a name; a node whose last known name goes while the kernel still knows it is pinned by
// an O_PATH descriptor. It also knows all that the kernel may keep, so that it can be told to forget it.
//
// Thread safe; its lock is held for memory operations only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/ids.h"
#include "common/base/mutex.h"
#include "common/base/unique_fd.h"
#include "common/record/record.h"

namespace hawser {

// The kernel's number of a node (FUSE calls it nodeid, libfuse fuse_ino_t). Never given twice in a mount.
using NodeId = Strong<struct NodeIdTag, std::uint64_t>;
inline constexpr NodeId kRootNode{1};

using SharedFd = std::shared_ptr<UniqueFd>;

// Whether the kernel knows of a change by itself, as the answer to its call, or has to be told.
enum class KernelKnows { kYes, kNo };

class InodeTable {
 public:
  // `root`: inode number of the store's root.
  explicit InodeTable(ino_t root);
  ~InodeTable();

  // The kernel is told of `name` in `parent`, which is inode `ino` of the store: counts one lookup.
  NodeId Remember(NodeId parent, const std::string& name, ino_t ino);
  // The kernel is told that there is no `name` in `parent`. False: it may not keep that, because as many are
  // kept already as can be remembered.
  bool RememberMissing(NodeId parent, const std::string& name);
  // The kernel gives back `count` lookups.
  void Forget(NodeId node, std::uint64_t count);

  // All that a call has to know of a node that it is about to change, in one look.
  struct Whereabouts {
    ino_t inode = 0;
    std::optional<StorePath> path;  // one of its present ones; nullopt: it has no known name (any more)
    std::vector<ino_t> lineage;  // the inode numbers of itself and of the directories above it on that path
    SharedFd pin;                // what a node without known names is kept by; else null
    bool left_behind = false;
    bool appends_anywhere = false;
  };
  // nullopt: there is no such node (any more).
  std::optional<Whereabouts> Locate(NodeId node) const;

  // Only the path, for those who read.
  std::optional<StorePath> PathOf(NodeId node) const;
  SharedFd PinOf(NodeId node) const;
  ino_t root_inode() const { return root_inode_; }

  // Whether the kernel knows the node at this path, and under this as its only known name: it has to be
  // pinned before the name goes.
  bool WouldLoseLastName(const StorePath& path) const;
  bool Knows(const StorePath& path) const;
  void Pin(const StorePath& path, UniqueFd pin);

  // Follows a record that has been applied. What is moved to a directory that the table doesn't know loses
  // its name, so whoever follows a record remembers that directory first (Volume does).
  void Follow(const Record& record, KernelKnows knows = KernelKnows::kNo);

  // Whether the last known name of a node was taken away without the kernel's doing: who comes by its
  // old name means another file by now, or none, and is to look again (ESTALE).
  bool LeftBehind(NodeId node) const;

  // Notes that the node is being opened; whether a lookup has led to it since the last time.
  bool OpenAfterLookup(NodeId node);

  // The kernel may take the node for longer or shorter than it is, and have appended bytes go to where it
  // believes the end to be. It learns better when it next asks for attributes, which no append does; so it is
  // noted here until an append shows that it knows (InodeTable::AppendsAtTheEnd).
  void AppendsAnywhere(NodeId node);
  void AppendsAtTheEnd(NodeId node);

  // The node that the kernel knows at a path, or by any name as this inode of the store.
  std::optional<NodeId> Find(const StorePath& path) const;
  std::optional<NodeId> Find(ino_t inode) const;

  // For telling the kernel to forget everything: the nodes that it knows, eight bytes each, and then, node by
  // node, the entries that lead to it or that it keeps as missing in it. The latter are no longer counted.
  struct Entry {
    NodeId parent;
    std::string name;
  };
  std::vector<NodeId> Nodes() const;
  std::vector<Entry> EntriesToForget(NodeId node);
  std::vector<NodeId> Parents(NodeId node) const;  // the directories of its known names

  // The entry at a path as the kernel may keep it, also as missing; nullopt: it keeps none.
  std::optional<Entry> KeptEntry(const StorePath& path) const;

  std::size_t size() const;  // nodes known

 private:
  struct Node;
  struct Name {
    Node* parent;
    std::string name;
  };

  // The kernel drops such entries without a word. They are counted, so that a search for names that don't
  // exist can't fill the memory: at 100 bytes each, 6 MiB.
  static constexpr std::size_t kMostMissing = 1 << 16;

  Node* Lookup(NodeId id) const HAWSER_REQUIRES(mutex_);
  Node* Walk(const StorePath& path) const HAWSER_REQUIRES(mutex_);
  void AddName(Node* node, Node* parent, const std::string& name) HAWSER_REQUIRES(mutex_);
  Node* TakeName(Node* parent, const std::string& name) HAWSER_REQUIRES(mutex_);  // null: there was none
  // The child under that name, if there is one, loses it. DropName() lets the parent go, too, if nothing else
  // holds it.
  void DropChild(Node* parent, const std::string& name, KernelKnows knows) HAWSER_REQUIRES(mutex_);
  void DropName(Node* parent, const std::string& name, KernelKnows knows) HAWSER_REQUIRES(mutex_);
  void DropIfNameless(Node* node) HAWSER_REQUIRES(mutex_);
  void Move(const StorePath& from, const StorePath& to, KernelKnows knows);
  void Exchange(const StorePath& one, const StorePath& other);
  void Remove(const StorePath& path, KernelKnows knows);
  void ReleaseIfUnused(Node* node) HAWSER_REQUIRES(mutex_);

  static std::optional<StorePath> PathFromRoot(const Node* node);

  const ino_t root_inode_;
  mutable Mutex mutex_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Node>> nodes_ HAWSER_GUARDED_BY(mutex_);  // by NodeId
  std::unordered_map<ino_t, Node*> by_inode_ HAWSER_GUARDED_BY(mutex_);
  Node* root_ HAWSER_GUARDED_BY(mutex_);
  std::uint64_t next_id_ HAWSER_GUARDED_BY(mutex_) = kRootNode.value + 1;
  std::size_t missing_ HAWSER_GUARDED_BY(mutex_) = 0;  // names in all nodes' `missing`
};

}  // namespace hawser
