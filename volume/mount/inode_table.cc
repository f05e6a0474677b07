#include "volume/mount/inode_table.h"

#include <algorithm>
#include <cassert>
#include <unordered_set>
#include <utility>

#include "common/record/kinds.h"

namespace hawser {

// Kept while the kernel knows it or a child of it. A node with no name is a root, or has been removed.
struct InodeTable::Node {
  NodeId id;
  ino_t inode = 0;
  std::uint64_t lookups = 0;
  std::vector<Name> names;
  std::unordered_map<std::string, Node*> children;
  std::unordered_set<std::string> missing;  // names that the kernel may keep as not there
  SharedFd pin;
  bool left_behind = false;
  bool looked_up = false;  // since it was opened
  bool appends_anywhere = false;
};

InodeTable::InodeTable(ino_t root) : root_inode_(root) {
  auto node = std::make_unique<Node>();
  node->id = kRootNode;
  node->inode = root;
  node->lookups = 1;  // never forgotten
  root_ = node.get();
  by_inode_[root] = root_;
  nodes_[kRootNode.value] = std::move(node);
}

InodeTable::~InodeTable() = default;

InodeTable::Node* InodeTable::Lookup(NodeId id) const {
  const auto found = nodes_.find(id.value);
  return found == nodes_.end() ? nullptr : found->second.get();
}

InodeTable::Node* InodeTable::Walk(const StorePath& path) const {
  Node* node = root_;
  for (const std::string_view name : path.Components()) {
    const auto child = node->children.find(std::string(name));
    if (child == node->children.end()) return nullptr;
    node = child->second;
  }
  return node;
}

NodeId InodeTable::Remember(NodeId parent_id, const std::string& name, ino_t inode) {
  const MutexLock lock(mutex_);
  Node* parent = Lookup(parent_id);
  Node*& node = by_inode_[inode];
  if (node == nullptr) {
    auto fresh = std::make_unique<Node>();
    fresh->id = NodeId(next_id_++);
    fresh->inode = inode;
    node = fresh.get();
    nodes_[fresh->id.value] = std::move(fresh);
  }
  if (parent != nullptr) AddName(node, parent, name);
  ++node->lookups;
  node->looked_up = true;
  return node->id;
}

bool InodeTable::RememberMissing(NodeId parent_id, const std::string& name) {
  const MutexLock lock(mutex_);
  Node* parent = Lookup(parent_id);
  if (parent == nullptr) return false;
  if (parent->missing.contains(name)) return true;
  if (missing_ >= kMostMissing) return false;
  parent->missing.insert(name);
  ++missing_;
  return true;
}

void InodeTable::Forget(NodeId id, std::uint64_t count) {
  const MutexLock lock(mutex_);
  Node* node = Lookup(id);
  if (node == nullptr || node == root_) return;
  node->lookups -= std::min(node->lookups, count);
  ReleaseIfUnused(node);
}

void InodeTable::ReleaseIfUnused(Node* start) {
  std::vector<NodeId> todo{start->id};  // by number: releasing one may release another of them
  while (!todo.empty()) {
    Node* node = Lookup(todo.back());
    todo.pop_back();
    if (node == nullptr || node == root_ || node->lookups > 0 || !node->children.empty()) continue;
    for (const Name& name : node->names) {
      name.parent->children.erase(name.name);
      todo.push_back(name.parent->id);
    }
    if (const auto found = by_inode_.find(node->inode); found != by_inode_.end() && found->second == node)
      by_inode_.erase(found);
    missing_ -= node->missing.size();
    nodes_.erase(node->id.value);
  }
}

void InodeTable::AddName(Node* node, Node* parent, const std::string& name) {
  missing_ -= parent->missing.erase(name);
  Node*& child = parent->children[name];
  if (child == node) return;
  if (child != nullptr) DropName(parent, name, KernelKnows::kYes);
  parent->children[name] = node;
  node->names.push_back({parent, name});
  node->pin.reset();
  node->left_behind = false;
}

InodeTable::Node* InodeTable::TakeName(Node* parent, const std::string& name) {
  const auto found = parent->children.find(name);
  if (found == parent->children.end()) return nullptr;
  Node* child = found->second;
  parent->children.erase(found);
  std::erase_if(child->names, [&](const Name& n) { return n.parent == parent && n.name == name; });
  return child;
}

void InodeTable::DropChild(Node* parent, const std::string& name, KernelKnows knows) {
  Node* child = TakeName(parent, name);
  if (child == nullptr) return;
  child->left_behind = knows == KernelKnows::kNo && child->names.empty();
  DropIfNameless(child);
}

void InodeTable::DropName(Node* parent, const std::string& name, KernelKnows knows) {
  const NodeId above = parent->id;
  DropChild(parent, name, knows);
  if (Node* left = Lookup(above)) ReleaseIfUnused(left);
}

// A node without a name, and all below it, can't be reached by a path any more. One that no pin keeps either
// isn't found by its inode number: the store may give that to another file.
void InodeTable::DropIfNameless(Node* start) {
  std::vector<NodeId> todo{start->id};  // by number: as in ReleaseIfUnused
  while (!todo.empty()) {
    Node* node = Lookup(todo.back());
    todo.pop_back();
    if (node == nullptr || node == root_) continue;
    if (node->names.empty()) {
      while (!node->children.empty()) {
        const std::string name = node->children.begin()->first;
        todo.push_back(TakeName(node, name)->id);
      }
      const auto found = by_inode_.find(node->inode);
      if (node->pin == nullptr && found != by_inode_.end() && found->second == node) by_inode_.erase(found);
    }
    ReleaseIfUnused(node);
  }
}

// With the lock held: nodes are theirs who hold it.
std::optional<StorePath> InodeTable::PathFromRoot(const Node* node) {
  std::vector<const std::string*> names;
  while (node->id != kRootNode) {
    if (node->names.empty()) return std::nullopt;
    names.push_back(&node->names.front().name);
    node = node->names.front().parent;
  }
  std::string text;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (!text.empty()) text += '/';
    text += **name;
  }
  auto path = StorePath::Parse(text);
  return path ? std::optional(*std::move(path)) : std::nullopt;
}

std::optional<InodeTable::Whereabouts> InodeTable::Locate(NodeId id) const {
  const MutexLock lock(mutex_);
  const Node* node = Lookup(id);
  if (node == nullptr) return std::nullopt;
  Whereabouts at{node->inode, PathFromRoot(node), {}, node->pin, node->left_behind, node->appends_anywhere};
  for (; node != nullptr; node = node->names.empty() ? nullptr : node->names.front().parent)
    at.lineage.push_back(node->inode);
  return at;
}

std::optional<StorePath> InodeTable::PathOf(NodeId id) const {
  const MutexLock lock(mutex_);
  const Node* node = Lookup(id);
  return node == nullptr ? std::nullopt : PathFromRoot(node);
}

SharedFd InodeTable::PinOf(NodeId id) const {
  const MutexLock lock(mutex_);
  const Node* node = Lookup(id);
  return node == nullptr ? nullptr : node->pin;
}

bool InodeTable::LeftBehind(NodeId id) const {
  const MutexLock lock(mutex_);
  const Node* node = Lookup(id);
  return node != nullptr && node->left_behind;
}

bool InodeTable::OpenAfterLookup(NodeId id) {
  const MutexLock lock(mutex_);
  Node* node = Lookup(id);
  return node != nullptr && std::exchange(node->looked_up, false);
}

void InodeTable::AppendsAnywhere(NodeId id) {
  const MutexLock lock(mutex_);
  if (Node* node = Lookup(id)) node->appends_anywhere = true;
}

void InodeTable::AppendsAtTheEnd(NodeId id) {
  const MutexLock lock(mutex_);
  if (Node* node = Lookup(id)) node->appends_anywhere = false;
}

bool InodeTable::WouldLoseLastName(const StorePath& path) const {
  const MutexLock lock(mutex_);
  const Node* node = Walk(path);
  return node != nullptr && node->names.size() == 1;
}

bool InodeTable::Knows(const StorePath& path) const {
  const MutexLock lock(mutex_);
  return Walk(path) != nullptr;
}

void InodeTable::Pin(const StorePath& path, UniqueFd pin) {
  const MutexLock lock(mutex_);
  if (Node* node = Walk(path)) node->pin = std::make_shared<UniqueFd>(std::move(pin));
}

std::optional<NodeId> InodeTable::Find(const StorePath& path) const {
  const MutexLock lock(mutex_);
  const Node* node = Walk(path);
  return node == nullptr ? std::nullopt : std::optional(node->id);
}

std::optional<NodeId> InodeTable::Find(ino_t inode) const {
  const MutexLock lock(mutex_);
  const auto node = by_inode_.find(inode);
  return node == by_inode_.end() ? std::nullopt : std::optional(node->second->id);
}

std::vector<NodeId> InodeTable::Nodes() const {
  const MutexLock lock(mutex_);
  std::vector<NodeId> ids;
  ids.reserve(nodes_.size());
  for (const auto& [id, node] : nodes_) ids.push_back(NodeId(id));
  return ids;
}

std::vector<InodeTable::Entry> InodeTable::EntriesToForget(NodeId id) {
  const MutexLock lock(mutex_);
  std::vector<Entry> entries;
  Node* node = Lookup(id);
  if (node == nullptr) return entries;
  for (const Name& name : node->names) entries.push_back({name.parent->id, name.name});
  for (const std::string& name : node->missing) entries.push_back({id, name});
  missing_ -= node->missing.size();
  node->missing.clear();
  return entries;
}

std::vector<NodeId> InodeTable::Parents(NodeId id) const {
  const MutexLock lock(mutex_);
  std::vector<NodeId> parents;
  const Node* node = Lookup(id);
  if (node == nullptr) return parents;
  for (const Name& name : node->names) parents.push_back(name.parent->id);
  return parents;
}

std::size_t InodeTable::size() const {
  const MutexLock lock(mutex_);
  return nodes_.size();
}

// Most records change no name, and don't take the lock.
void InodeTable::Follow(const Record& record, KernelKnows knows) {
  std::visit(Overloaded{
                 [&](const OneOf<Unlink, Rmdir> auto& r) { Remove(r.path, knows); },
                 [&](const Rename& r) {
                   r.mode == RenameMode::kExchange ? Exchange(r.path, r.new_path)
                                                   : Move(r.path, r.new_path, knows);
                 },
                 // A new name is learned when the kernel looks it up.
                 [](const OneOf<Create, Link> auto&) {},
                 // These change no name.
                 [](const OneOf<Write, Truncate, Allocate> auto&) {},
                 [](const OneOf<SetAttr, SetXattr, RemoveXattr> auto&) {},
                 [](const ControlKind auto&) {},
             },
             record.body);
}

void InodeTable::Remove(const StorePath& path, KernelKnows knows) {
  const MutexLock lock(mutex_);
  Node* parent = Walk(path.Parent());
  if (parent != nullptr) DropName(parent, std::string(path.Name()), knows);
}

// The names go first and come back at their new places, so that nothing is released in between.

void InodeTable::Move(const StorePath& from, const StorePath& to, KernelKnows knows) {
  const MutexLock lock(mutex_);
  Node* from_parent = Walk(from.Parent());
  Node* to_parent = Walk(to.Parent());
  Node* node = from_parent == nullptr ? nullptr : TakeName(from_parent, std::string(from.Name()));
  if (to_parent != nullptr) {
    DropChild(to_parent, std::string(to.Name()), knows);
    if (node != nullptr) AddName(node, to_parent, std::string(to.Name()));
    ReleaseIfUnused(to_parent);
  }
  if (node != nullptr) DropIfNameless(node);
  if (Node* left = Walk(from.Parent())) ReleaseIfUnused(left);
}

void InodeTable::Exchange(const StorePath& one, const StorePath& other) {
  const MutexLock lock(mutex_);
  Node* one_parent = Walk(one.Parent());
  Node* other_parent = Walk(other.Parent());
  Node* one_node = one_parent == nullptr ? nullptr : TakeName(one_parent, std::string(one.Name()));
  Node* other_node = other_parent == nullptr ? nullptr : TakeName(other_parent, std::string(other.Name()));
  if (one_node != nullptr && other_parent != nullptr)
    AddName(one_node, other_parent, std::string(other.Name()));
  if (other_node != nullptr && one_parent != nullptr)
    AddName(other_node, one_parent, std::string(one.Name()));
  if (one_node != nullptr) DropIfNameless(one_node);
  if (other_node != nullptr) DropIfNameless(other_node);
  for (const StorePath& path : {one.Parent(), other.Parent()}) {
    if (Node* left = Walk(path)) ReleaseIfUnused(left);
  }
}

std::optional<InodeTable::Entry> InodeTable::KeptEntry(const StorePath& path) const {
  const MutexLock lock(mutex_);
  if (path.IsRoot()) return std::nullopt;
  const Node* parent = Walk(path.Parent());
  const std::string name(path.Name());
  if (parent == nullptr || !(parent->children.contains(name) || parent->missing.contains(name)))
    return std::nullopt;
  return Entry{parent->id, name};
}

}  // namespace hawser
