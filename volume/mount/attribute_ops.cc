// Attributes: getattr, setattr, readlink, statfs.

#include <climits>

#include "volume/mount/operations.h"
#include "volume/store/rehearsal.h"

namespace hawser {

Result<AttributesReply> Operations::GetAttributes(NodeId node, const FileHandle* file) {
  const double seconds = role_.cache().attributes_seconds;
  if (file != nullptr) {
    HAWSER_ASSIGN(const struct stat info, StatFd(file->fd->get()));
    return AttributesReply{Shown(info), seconds};
  }
  HAWSER_ASSIGN(const PinnedNode pin, volume_.Pin(node));
  HAWSER_ASSIGN(const struct stat info, StatFd(pin.get()));
  return AttributesReply{Shown(info), seconds};
}

Result<AttributesReply> Operations::SetAttributes(const Caller& who, NodeId node,
                                                  const AttributeChange& change, const FileHandle* file) {
  if (change.size) HAWSER_TRY(Truncate(who, node, *change.size, file));
  if (change.mode || change.uid || change.gid || change.atime || change.mtime) {
    HAWSER_TRY(Change(who, node, nullptr, [&](const Subject& subject) -> Result<std::optional<Body>> {
      SetAttr record{subject.id, subject.path(), {}, change.uid, change.gid, change.atime, change.mtime};
      if (options_.uid) record.uid.reset();  // squashed: there is one owner
      if (options_.gid) record.gid.reset();
      HAWSER_TRY(RehearseOwner(volume_.store().root_fd(), record.uid, record.gid));
      if (change.uid || change.gid) record.mode = ModeAfterChown(subject.info, who.uid, who.in_group);
      if (change.mode) record.mode = *change.mode & 07777;
      return std::optional<Body>(std::move(record));
    }));
  }
  return GetAttributes(node, file);
}

Status Operations::Truncate(const Caller& who, NodeId node, std::uint64_t size, const FileHandle* file) {
  return Change(who, node, file, [&](const Subject& subject) -> Result<std::optional<Body>> {
    if (size > static_cast<std::uint64_t>(INT64_MAX)) return Error{EFBIG, "size"};
    if (size > kCertainSize) HAWSER_TRY(RehearseSize(volume_.store().root_fd(), size));
    return std::optional<Body>(hawser::Truncate{subject.id, subject.path(), size, StateOf(subject.info),
                                                Now(), ModeAfterChange(subject.info, who.uid, who.in_group)});
  });
}

Result<std::string> Operations::ReadLink(NodeId node) {
  HAWSER_ASSIGN(const PinnedNode pin, volume_.Pin(node));
  char target[PATH_MAX];
  const ssize_t size = ::readlinkat(pin.get(), "", target, sizeof target);
  if (size < 0) return ErrnoError("cannot read a symlink");
  return std::string(target, static_cast<std::size_t>(size));
}

Result<struct statvfs> Operations::Space() { return volume_.store().Space(); }

}  // namespace hawser
