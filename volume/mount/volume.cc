#include "volume/mount/volume.h"

#include <fcntl.h>

#include "common/base/descriptors.h"
#include "common/record/kinds.h"
#include "volume/store/directory.h"

namespace hawser {

Volume::Volume(std::unique_ptr<Store> store)
    : store_(std::move(store)), inodes_(StatFd(store_->root_fd())->st_ino) {}

Result<PinnedNode> Volume::Pin(NodeId node) {
  const std::shared_lock view(gate_);
  return PinInGate(node);
}

Result<PinnedNode> Volume::PinInGate(NodeId node) {
  auto path = inodes_.PathOf(node);
  SharedFd pin = path ? nullptr : inodes_.PinOf(node);
  return PinInGate(std::move(path), std::move(pin));
}

Result<PinnedNode> Volume::PinInGate(std::optional<StorePath> path, SharedFd pin) {
  if (path) {
    HAWSER_ASSIGN(UniqueFd fd, store_->Pin(*path));
    return PinnedNode{std::make_shared<UniqueFd>(std::move(fd)), std::move(path)};
  }
  if (pin == nullptr) return Error{ESTALE, "the node is gone"};
  return PinnedNode{std::move(pin), std::nullopt};
}

Result<PinnedNode> Volume::PinEntry(NodeId parent, const std::string& name) {
  const std::shared_lock view(gate_);
  return PinEntryInGate(parent, name);
}

Result<PinnedNode> Volume::PinEntryInGate(NodeId parent, const std::string& name) {
  if (name.size() > kMaxNameBytes) return Error{ENAMETOOLONG, "name '" + name + "'"};
  if (!IsValidName(name)) return Error{EINVAL, "name '" + name + "'"};
  HAWSER_ASSIGN(const StorePath entry, StorePath::Parse(name));
  if (const auto directory = inodes_.PathOf(parent)) {
    StorePath path = directory->Child(name);
    HAWSER_ASSIGN(UniqueFd fd, store_->Pin(path));
    return PinnedNode{std::make_shared<UniqueFd>(std::move(fd)), std::move(path)};
  }
  if (inodes_.LeftBehind(parent)) return Error{ESTALE, "the directory has been removed"};
  HAWSER_ASSIGN(const PinnedNode directory, PinInGate(parent));
  HAWSER_ASSIGN(UniqueFd fd, OpenBeneath(directory.get(), entry, O_PATH));
  return PinnedNode{std::make_shared<UniqueFd>(std::move(fd)), std::nullopt};
}

Result<PinnedNode> Volume::PinForChange(const InodeTable::Whereabouts& at) {
  const std::shared_lock view(gate_);
  HAWSER_ASSIGN(PinnedNode pinned, PinInGate(at.path, at.pin));
  if (pinned.path) {
    HAWSER_ASSIGN(*pinned.fd, KeepFor(HeldFor::kCall, std::move(*pinned.fd)));
    return pinned;
  }
  HAWSER_ASSIGN(const struct stat info, StatFd(pinned.get()));
  if (info.st_nlink > 0) {
    HAWSER_ASSIGN(pinned.path, FindPath(info.st_ino));
  }
  return pinned;
}

Result<Volume::Entry> Volume::Lookup(NodeId parent, const std::string& name) {
  const std::shared_lock view(gate_);
  return LookupInGate(parent, name);
}

// What is missing is remembered in the same gate: a record that makes it either comes before the look, or
// finds it remembered.
Result<Volume::Entry> Volume::LookupOrMiss(NodeId parent, const std::string& name) {
  const std::shared_lock view(gate_);
  auto entry = LookupInGate(parent, name);
  if (entry || entry.error().code != ENOENT) return entry;
  return Entry{NodeId(0), {}, inodes_.RememberMissing(parent, name)};
}

Result<Volume::Entry> Volume::LookupInGate(NodeId parent, const std::string& name) {
  HAWSER_ASSIGN(const PinnedNode pinned, PinEntryInGate(parent, name));
  HAWSER_ASSIGN(const struct stat info, StatFd(pinned.get()));
  return Entry{inodes_.Remember(parent, name, info.st_ino), info};
}

namespace {

constexpr const StorePath* kNoPath = nullptr;

// The path of the file whose content, attributes or ACLs a record changes; null if it only changes names.
const StorePath* ChangedFile(const Body& body) {
  return std::visit(Overloaded{
                        [](const OneOf<Write, Truncate, Allocate, SetAttr> auto& r) { return &r.path; },
                        [](const OneOf<SetXattr, RemoveXattr> auto& r) { return &r.path; },
                        [](const OneOf<Create, Link, Unlink, Rmdir, Rename> auto&) { return kNoPath; },
                        [](const ControlKind auto&) { return kNoPath; },
                    },
                    body);
}

// The paths, before a record is applied, of all nodes whose attributes or content it changes: of what it is
// about, and of the directories, which have other times and counts of links then.
std::vector<StorePath> ChangedNodes(const Body& body) {
  std::vector<StorePath> paths = EntriesOf(body);
  for (std::size_t i = 0, entries = paths.size(); i < entries; ++i) paths.push_back(paths[i].Parent());
  if (const auto* link = std::get_if<Link>(&body)) paths.push_back(link->path);
  if (const StorePath* path = ChangedFile(body)) paths.push_back(*path);
  return paths;
}

}  // namespace

Status Volume::Apply(const Record& record, Bytes payload, ApplyTo to) {
  if (!TakesNames(record.body)) {
    HAWSER_TRY(store_->Apply(record, payload, to));
    Follow(record, KernelKnows::kYes);
    return {};
  }
  const std::unique_lock alone(gate_);
  PinWhatGoes(record.body);
  HAWSER_TRY(store_->Apply(record, payload));
  Follow(record, KernelKnows::kYes);
  return {};
}

Status Volume::ApplySettled(const Record& record, Bytes payload, ApplyTo to) {
  const std::unique_lock alone(gate_);
  Stale stale = StaleOnPrimary(record.body);
  PinWhatGoes(record.body);
  const Status applied = store_->Apply(record, payload, to);
  if (applied) Follow(record, KernelKnows::kNo);
  Tell(std::move(stale));
  return applied;
}

void Volume::TellOf(const Record& record) {
  const std::unique_lock alone(gate_);
  Tell(StaleOnPrimary(record.body));
}

void Volume::Tell(Stale stale) {
  for (const NodeId node : stale.nodes) inodes_.AppendsAnywhere(node);
  news_.Tell(std::move(stale));
}

// By the names and paths of before the record.
Stale Volume::StaleOnPrimary(const Body& body) {
  Stale stale{{}, StaleEntries(body)};
  for (const StorePath& path : ChangedNodes(body)) {
    if (const auto node = KnownNode(path)) stale.nodes.push_back(*node);
  }
  return stale;
}

Status Volume::ApplyInGate(const Record& record, Bytes payload, ApplyTo to) {
  PinWhatGoes(record.body);
  HAWSER_TRY(store_->Apply(record, payload, to));
  FollowInGate(record);
  return {};
}

void Volume::FollowInGate(const Record& record) {
  Stale stale{{}, StaleEntries(record.body)};
  Follow(record, KernelKnows::kNo);
  const StorePath* path = ChangedFile(record.body);
  const auto node = path == nullptr ? std::nullopt : KnownNode(*path);
  if (stale.empty() && !node) return;
  const MutexLock lock(stale_mutex_);
  if (node && (stale_.nodes.empty() || stale_.nodes.back() != *node)) stale.nodes.push_back(*node);
  stale_.Add(std::move(stale));
}

// By the names that the table has before it follows the record.
std::vector<InodeTable::Entry> Volume::StaleEntries(const Body& body) const {
  std::vector<InodeTable::Entry> entries;
  for (const StorePath& path : EntriesOf(body)) {
    if (auto entry = inodes_.KeptEntry(path)) entries.push_back(*std::move(entry));
  }
  return entries;
}

Stale Volume::TakeStale() {
  const MutexLock lock(stale_mutex_);
  return std::exchange(stale_, {});
}

void Volume::Follow(const Record& record, KernelKnows knows) {
  const std::vector<NodeId> way = RememberWaysOfMoved(record.body);
  inodes_.Follow(record, knows);
  for (const NodeId node : way) inodes_.Forget(node, 1);
}

// The directories that something known is moved into: the kernel may never have been there.
std::vector<NodeId> Volume::RememberWaysOfMoved(const Body& body) {
  const auto* rename = std::get_if<Rename>(&body);
  if (rename == nullptr) return {};
  std::vector<NodeId> way;
  if (inodes_.Knows(rename->path)) way = RememberWay(rename->new_path.Parent());
  if (rename->mode == RenameMode::kExchange && inodes_.Knows(rename->new_path)) {
    const std::vector<NodeId> back = RememberWay(rename->path.Parent());
    way.insert(way.end(), back.begin(), back.end());
  }
  return way;
}

// Each counts a lookup until the record has been followed: the kernel may forget it at any time. If it can't
// be read, what is moved loses its name, and is looked up anew by who needs it next.
std::vector<NodeId> Volume::RememberWay(const StorePath& directory) {
  std::vector<NodeId> way;
  UniqueFd above;
  for (const std::string_view name : directory.Components()) {
    const auto entry = StorePath::Parse(name);
    auto fd = OpenBeneath(above ? above.get() : store_->root_fd(), *entry, O_PATH | O_DIRECTORY);
    if (!fd) break;
    above = *std::move(fd);
    const auto info = StatFd(above.get());
    if (!info) break;
    way.push_back(inodes_.Remember(way.empty() ? kRootNode : way.back(), std::string(name), info->st_ino));
  }
  return way;
}

// The node at a path, also if the kernel knows it by other names only. Now, with the gate held: later the
// path may lead elsewhere.
std::optional<NodeId> Volume::KnownNode(const StorePath& path) {
  if (const auto node = inodes_.Find(path)) return node;
  if (inodes_.size() == 1) return std::nullopt;  // the root only
  const auto pin = store_->Pin(path);
  if (!pin) return std::nullopt;
  const auto info = StatFd(pin->get());
  return info ? inodes_.Find(info->st_ino) : std::nullopt;
}

// Before a record takes away the last name that the kernel knows of a node. If the pin can't be had, the node
// is simply gone for those who have it open by that name alone (ESTALE).
void Volume::PinWhatGoes(const Body& body) {
  const auto pin = [this](const StorePath& path) {
    if (!inodes_.WouldLoseLastName(path)) return;
    auto fd = store_->Pin(path);
    if (fd) fd = KeepFor(HeldFor::kProgram, *std::move(fd));
    if (fd) inodes_.Pin(path, *std::move(fd));
  };
  std::visit(Overloaded{
                 [&](const OneOf<Unlink, Rmdir> auto& r) { pin(r.path); },
                 [&](const Rename& r) {
                   if (r.replaced && r.mode != RenameMode::kExchange) pin(r.new_path);
                 },
                 [](const OneOf<Create, Link> auto&) {},
                 [](const OneOf<Write, Truncate, Allocate> auto&) {},
                 [](const OneOf<SetAttr, SetXattr, RemoveXattr> auto&) {},
                 [](const ControlKind auto&) {},
             },
             body);
}

// Some path of an inode, by walking the store. Slow, and needed only when a hard-linked file goes on being
// used after the name by which it was opened is gone and no other was ever looked up.
Result<std::optional<StorePath>> Volume::FindPath(ino_t inode) const {
  std::vector<StorePath> todo{StorePath()};
  while (!todo.empty()) {
    const StorePath directory = std::move(todo.back());
    todo.pop_back();
    HAWSER_ASSIGN(const UniqueFd fd, OpenBeneath(store_->root_fd(), directory, O_PATH | O_DIRECTORY));
    std::optional<StorePath> found;
    HAWSER_TRY(VisitEntries(fd.get(), [&](const dirent& entry) {
      if (entry.d_ino == inode) found = directory.Child(entry.d_name);
      if (entry.d_type == DT_DIR) todo.push_back(directory.Child(entry.d_name));
      return !found;
    }));
    if (found) return found;
  }
  return std::optional<StorePath>();
}

}  // namespace hawser
