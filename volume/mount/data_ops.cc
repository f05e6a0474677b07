// Data: open, read, write, fallocate, lseek, copy_file_range.

#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include "common/base/files.h"
#include "common/record/codec.h"
#include "volume/mount/operations.h"
#include "volume/store/rehearsal.h"

namespace hawser {

namespace {

// Left free on the store: what a change may need besides its data.
constexpr std::uint64_t kSpareBytes = kMiB;

}  // namespace

Result<OpenReply> Operations::Open(NodeId node, int flags) {
  HAWSER_ASSIGN(DescriptorPlace place, DescriptorPlace::Take(HeldFor::kProgram));
  return OpenInto(std::move(place), node, flags);
}

Result<OpenReply> Operations::OpenInto(DescriptorPlace place, NodeId node, int flags) {
  if ((flags & O_ACCMODE) != O_RDONLY && !role_.writable()) return Error{EROFS, "this is a secondary"};
  HAWSER_ASSIGN(const PinnedNode pin, PinToOpen(node));
  HAWSER_ASSIGN(UniqueFd fd, volume_.store().Reopen(pin.get(), flags));
  HAWSER_ASSIGN(fd, std::move(place).Fill(std::move(fd)));
  auto file = std::make_unique<FileHandle>(FileHandle{std::make_shared<UniqueFd>(std::move(fd)), node});
  return OpenReply{std::move(file), role_.cache().keep_pages};
}

Result<std::size_t> Operations::Read(const FileHandle& file, std::span<std::byte> into,
                                     std::uint64_t offset) {
  // On a primary the descriptor is all that a read needs; on a secondary a read must not fall between two
  // groups.
  std::shared_lock view(volume_.gate(), std::defer_lock);
  if (!role_.writable()) view.lock();
  return ReadAllAt(file.fd->get(), into, offset, "an open file");
}

// Whether `length` bytes at `offset` fit on the store: those that lie in blocks the file has already always
// do.
Status Operations::CheckSpace(const struct stat& info, std::uint64_t offset, std::uint64_t length) const {
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const bool whole = static_cast<std::uint64_t>(info.st_blocks) * 512 >= size;
  if (whole && offset + length <= size) return {};
  HAWSER_ASSIGN(const struct statvfs space, volume_.store().Space());
  const std::uint64_t blocks = ::geteuid() == 0 ? space.f_bfree : space.f_bavail;
  if (blocks * space.f_frsize < length + kSpareBytes) return Error{ENOSPC, "the store has no space left"};
  return {};
}

Result<std::size_t> Operations::Write(const Caller& who, const FileHandle& file, Payload data,
                                      std::uint64_t offset, bool append) {
  if (data.size() == 0) return std::size_t{0};
  bool elsewhere = false;
  const auto decide = [&](const Subject& subject) -> Result<std::optional<Body>> {
    if (append && subject.appends_anywhere) {
      elsewhere = offset != static_cast<std::uint64_t>(subject.info.st_size);
      if (!elsewhere) volume_.inodes().AppendsAtTheEnd(file.node);
      offset = static_cast<std::uint64_t>(subject.info.st_size);
    }
    if (offset > INT64_MAX - data.size()) return Error{EFBIG, "offset"};
    if (offset + data.size() > kCertainSize)
      HAWSER_TRY(RehearseSize(volume_.store().root_fd(), offset + data.size()));
    HAWSER_TRY(CheckSpace(subject.info, offset, data.size()));
    return std::optional<Body>(hawser::Write{subject.id, subject.path(), offset, data.size(),
                                             StateOf(subject.info), Now(),
                                             ModeAfterChange(subject.info, who.uid, who.in_group)});
  };
  HAWSER_TRY(Change(who, file.node, &file, decide, data));
  // Not where the kernel keeps it now.
  if (elsewhere) volume_.Tell({{file.node}, {}});
  return data.size();
}

Status Operations::Allocate(const Caller& who, const FileHandle& file, int mode, std::uint64_t offset,
                            std::uint64_t length) {
  return Change(who, file.node, &file, [&](const Subject& subject) -> Result<std::optional<Body>> {
    const auto size = static_cast<std::uint64_t>(subject.info.st_size);
    const auto flags = static_cast<std::uint32_t>(mode);
    HAWSER_TRY(RehearseAllocate(volume_.store().root_fd(), size, flags, offset, length));
    if (offset + length > kCertainSize) HAWSER_TRY(RehearseSize(volume_.store().root_fd(), offset + length));
    if ((mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE)) == 0)
      HAWSER_TRY(CheckSpace(subject.info, offset, length));
    return std::optional<Body>(hawser::Allocate{subject.id, subject.path(), flags, offset, length,
                                                StateOf(subject.info), Now(),
                                                ModeAfterChange(subject.info, who.uid, who.in_group)});
  });
}

Result<off_t> Operations::Seek(const FileHandle& file, off_t offset, int whence) {
  std::shared_lock view(volume_.gate(), std::defer_lock);
  if (!role_.writable()) view.lock();
  const off_t at = ::lseek(file.fd->get(), offset, whence);
  if (at < 0) return ErrnoError("cannot seek");
  return at;
}

// A copy becomes writes: the journal holds the data, so every replica ends with the same.
Result<std::size_t> Operations::CopyRange(const Caller& who, const FileHandle& from,
                                          std::uint64_t from_offset, const FileHandle& to,
                                          std::uint64_t to_offset, std::size_t length) {
  constexpr std::size_t kMostAtOnce = 16 * kMiB;
  std::size_t copied = 0;
  while (copied < std::min(length, kMostAtOnce)) {
    Buffer buffer(std::min(length - copied, kMaxPayloadBytes));
    HAWSER_ASSIGN(const std::size_t got, Read(from, buffer, from_offset + copied));
    if (got == 0) break;
    buffer.resize(got);
    auto written = Write(who, to, Payload::Of(std::move(buffer)), to_offset + copied);
    if (!written && copied == 0) return std::move(written).error();
    if (!written) break;
    copied += got;
  }
  return copied;
}

}  // namespace hawser
