// Lookup, and what all families share: examining what is about to be changed, and its locks.

#include "volume/mount/operations.h"

namespace hawser {

struct stat Operations::Shown(struct stat info) const {
  if (options_.uid) info.st_uid = *options_.uid;
  if (options_.gid) info.st_gid = *options_.gid;
  return info;
}

EntryReply Operations::Shown(const Volume::Entry& entry) const {
  return {entry.node, Shown(entry.info), role_.cache()};
}

Result<EntryReply> Operations::Lookup(NodeId parent, const std::string& name) {
  // The kernel may keep that there is nothing, if the table can remember to tell it when that changes.
  const bool keeps = role_.cache().entries_seconds > 0;
  auto entry = keeps ? volume_.LookupOrMiss(parent, name) : volume_.Lookup(parent, name);
  if (!entry && entry.error().code == ENOENT) return EntryReply{NodeId(0), {}, role_.cache()};
  if (!entry) return std::move(entry).error();
  EntryReply reply = Shown(*entry);
  if (!entry->kept) reply.cache = {};
  return reply;
}

void Operations::TellIfHalfDone() {
  if (!done_.empty()) volume_.Tell(std::move(done_));
}

// With ESTALE the kernel looks again, and finds what is at the path now. What a call of its own removed
// may be opened anew by who has it open (/proc/self/fd).
//
// It looks again only once. Where files are replaced all the time, the one that it then finds may have been
// replaced, too, before it is opened: on a copy that is opened, as it was there when the path was looked up.
// What would be written on a primary must not go there.
Result<PinnedNode> Operations::PinToOpen(NodeId node) {
  HAWSER_ASSIGN(PinnedNode pin, volume_.Pin(node));
  const bool just_looked = !role_.writable() && volume_.inodes().OpenAfterLookup(node);
  if (!pin.path && !just_looked && volume_.inodes().LeftBehind(node))
    return Error{ESTALE, "it has been removed"};
  return pin;
}

Result<Operations::Subject> Operations::Examine(const Whereabouts& at, const FileHandle* file) {
  if (file == nullptr && at.left_behind) return Error{ESTALE, "the file has been removed"};
  // With an open file at hand and a name that is known, nothing needs to be looked up.
  if (file != nullptr && at.path) {
    HAWSER_ASSIGN(const struct stat info, StatFd(file->fd->get()));
    if (info.st_nlink > 0) {
      HAWSER_ASSIGN(const FileId id, ReadFileId(file->fd->get()));
      return Subject{{nullptr, at.path}, info, id, at.appends_anywhere};
    }
  }
  HAWSER_ASSIGN(PinnedNode pin, volume_.PinForChange(at));
  HAWSER_ASSIGN(const struct stat info, StatFd(pin.get()));
  HAWSER_ASSIGN(const FileId id, ReadFileId(ProcPath(pin.get())));
  return Subject{std::move(pin), info, id, at.appends_anywhere};
}

Result<Operations::Place> Operations::ExamineEntry(const Whereabouts& parent, const std::string& name) {
  if (name.size() > kMaxNameBytes) return Error{ENAMETOOLONG, "name '" + name + "'"};
  if (!IsValidName(name)) return Error{EINVAL, "name '" + name + "'"};
  HAWSER_ASSIGN(PinnedNode directory, volume_.PinForChange(parent));
  if (!directory.path) return Error{ENOENT, "the directory has been removed"};
  HAWSER_ASSIGN(const struct stat info, StatFd(directory.get()));
  Place place{directory.path->Child(name), info, ProcPath(directory.get()), directory.fd, std::nullopt};
  auto child = volume_.store().Pin(place.path);
  if (!child && child.error().code != ENOENT) return std::move(child).error();
  if (child) {
    HAWSER_ASSIGN(const struct stat child_info, StatFd(child->get()));
    HAWSER_ASSIGN(const FileId id, ReadFileId(ProcPath(child->get())));
    HAWSER_ASSIGN(UniqueFd pin, KeepFor(HeldFor::kCall, *std::move(child)));
    place.child = Subject{{std::make_shared<UniqueFd>(std::move(pin)), place.path}, child_info, id, false};
  }
  return place;
}

Result<LockSet> Operations::LocksOf(NodeId node, Whereabouts& at) {
  auto located = volume_.inodes().Locate(node);
  if (!located) return Error{ESTALE, "the node is gone"};
  at = *std::move(located);
  LockSet set{{at.inode}, at.lineage, std::nullopt};
  // A name that the kernel doesn't know will be searched for: no directory may be renamed meanwhile.
  if (!at.path) set.moved = volume_.inodes().root_inode();
  return set;
}

// The directory's lock covers all its entries; what stands at the entry may have other names, so it's locked
// too.
Result<LockSet> Operations::LocksOfEntry(NodeId parent, const std::string& name, Whereabouts& at) {
  HAWSER_ASSIGN(LockSet set, LocksOf(parent, at));
  auto child = volume_.PinEntry(parent, name);
  if (!child && child.error().code != ENOENT) return std::move(child).error();
  if (child) {
    HAWSER_ASSIGN(const struct stat info, StatFd(child->get()));
    set.nodes.push_back(info.st_ino);
  }
  return set;
}

Status Operations::Change(const Caller& who, NodeId node, const FileHandle* file, const DecideBody& decide,
                          Payload payload) {
  Whereabouts at;
  HAWSER_TRY(Mutate(
      who, [&] { return LocksOf(node, at); },
      [&]() -> Result<std::optional<Decision>> {
        HAWSER_ASSIGN(const Subject subject, Examine(at, file));
        HAWSER_ASSIGN(std::optional<Body> body, decide(subject));
        if (!body) return std::optional<Decision>();
        return std::optional(Decision{*std::move(body), file != nullptr ? file->fd : nullptr,
                                      subject.orphan() ? subject.pin.fd : nullptr});
      },
      std::move(payload)));
  done_.nodes.push_back(node);
  return {};
}

Status Operations::Mutate(const Caller& who, std::function<Result<LockSet>()> locks,
                          std::function<Result<std::optional<Decision>>()> decide, Payload payload) {
  return role_.Mutate({std::move(locks), std::move(decide), std::move(payload), who.cancel, who.came});
}

}  // namespace hawser
