#include "tests/support/small_disk.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>

#include "common/base/files.h"
#include "tests/support/leftovers.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace hawser::test {
namespace {

constexpr std::uint64_t kTrialBytes = 4 << 20;
constexpr std::uint64_t kBlock = 4096;

// Allocates at the end of the file until there is no room for another block.
Status AllocateAll(int fd, std::uint64_t bytes) {
  off_t size = 0;
  for (std::uint64_t step = bytes; step >= kBlock; step /= 2) {
    while (fallocate(fd, 0, size, static_cast<off_t>(step)) == 0) size += static_cast<off_t>(step);
    if (errno != ENOSPC) return ErrnoError("cannot fill a disk");
  }
  return {};
}

}  // namespace

bool SmallDisk::Available() {
  static const bool available = [] {
    if (geteuid() != 0) return false;
    const TempDir temp("hawser-disk-");
    return static_cast<bool>(Make(temp / "image", temp / "mount", kTrialBytes));
  }();
  return available;
}

Result<std::unique_ptr<SmallDisk>> SmallDisk::Make(std::string image, std::string mount, std::uint64_t bytes,
                                                   std::vector<std::string> mkfs) {
  std::unique_ptr<SmallDisk> disk(new SmallDisk(std::move(image), std::move(mount)));
  HAWSER_TRY(MakeDirectories(disk->mount_));
  {
    HAWSER_ASSIGN(const UniqueFd fd, OpenFile(disk->image_, O_RDWR | O_CREAT | O_EXCL));
    if (ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) return ErrnoError("cannot size", disk->image_);
  }
  mkfs.push_back(disk->image_);
  HAWSER_TRY(RunSuccessfully(mkfs));
  HAWSER_TRY(RunSuccessfully({"mount", "-o", "loop", disk->image_, disk->mount_}));
  HAWSER_TRY(MakeDirectories(disk->folder()));
  return disk;
}

// The loop device goes with the mount.
SmallDisk::~SmallDisk() {
  Detach(mount_);
  std::error_code failed;
  std::filesystem::remove(image_, failed);
}

Status SmallDisk::Fill(std::uint64_t leave) {
  full_ = true;
  HAWSER_ASSIGN(const std::uint64_t free, FreeBytes());
  HAWSER_ASSIGN(const UniqueFd fd, OpenFile(filler(), O_RDWR | O_CREAT));
  if (leave == 0) return AllocateAll(fd.get(), free);
  if (free <= leave) return {};
  if (fallocate(fd.get(), 0, 0, static_cast<off_t>(free - leave)) != 0)
    return ErrnoError("cannot fill", mount_);
  return {};
}

void SmallDisk::MakeRoom() {
  full_ = false;
  std::error_code failed;
  std::filesystem::remove(filler(), failed);
}

Result<std::uint64_t> SmallDisk::FreeBytes() const {
  struct statvfs info {};
  if (statvfs(mount_.c_str(), &info) != 0) return ErrnoError("cannot ask the room of", mount_);
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace hawser::test
