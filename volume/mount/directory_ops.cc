// Directories: opendir, readdir, readdirplus.

#include <fcntl.h>

#include "volume/mount/operations.h"

namespace hawser {

Result<std::unique_ptr<DirectoryHandle>> Operations::OpenDir(NodeId node) {
  HAWSER_ASSIGN(DescriptorPlace place, DescriptorPlace::Take(HeldFor::kProgram));
  HAWSER_ASSIGN(const PinnedNode pin, PinToOpen(node));
  HAWSER_ASSIGN(UniqueFd fd, volume_.store().Reopen(pin.get(), O_RDONLY | O_DIRECTORY));
  HAWSER_ASSIGN(fd, std::move(place).Fill(std::move(fd)));
  auto directory = std::make_unique<DirectoryHandle>();
  directory->node = node;
  directory->listing.reset(::fdopendir(fd.get()));
  if (!directory->listing) return ErrnoError("cannot list a directory");
  fd.Release();
  return directory;
}

Status Operations::ReadDirectory(DirectoryHandle& directory, off_t offset, bool plus,
                                 const std::function<bool(const DirectoryEntry&)>& add) {
  const MutexLock lock(directory.mutex);
  DIR* listing = directory.listing.get();
  if (offset != directory.offset) ::seekdir(listing, offset);
  for (;;) {
    errno = 0;
    const dirent* found = ::readdir(listing);
    if (found == nullptr && errno != 0) return ErrnoError("cannot list a directory");
    if (found == nullptr) return {};
    DirectoryEntry entry{found->d_name, found->d_ino, static_cast<mode_t>(DTTOIF(found->d_type)),
                         found->d_off, std::nullopt};
    if (plus && entry.name != "." && entry.name != "..") {
      auto looked_up = volume_.Lookup(directory.node, entry.name);
      if (!looked_up && looked_up.error().code == ENOENT) continue;  // removed since
      if (!looked_up) return std::move(looked_up).error();
      entry.entry = Shown(*looked_up);
    }
    if (!add(entry)) {
      if (entry.entry) Forget(entry.entry->node, 1);
      ::seekdir(listing, directory.offset);
      return {};
    }
    directory.offset = entry.next;
  }
}

}  // namespace hawser
