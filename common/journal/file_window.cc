#include "common/journal/file_window.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "common/base/files.h"

namespace hawser {

Result<Bytes> FileWindow::Get(std::uint64_t offset, std::uint64_t length, std::uint64_t ahead) {
  if (offset < begin_ || offset + length > begin_ + held_) {
    // Never more than the file has, whatever is asked for: lengths come from what was read.
    HAWSER_ASSIGN(const std::uint64_t size, FileBytes());
    const std::uint64_t there = size > offset ? size - offset : 0;
    const auto wanted = static_cast<std::size_t>(std::min(there, length + ahead));
    held_ = 0;
    if (buffer_.size() < wanted) buffer_.resize(wanted);
    HAWSER_ASSIGN(held_, ReadAllAt(fd_.get(), std::span(buffer_).first(wanted), offset, path_));
    begin_ = offset;
  }
  const std::uint64_t from = offset - begin_;
  return Bytes(buffer_).subspan(from, std::min(length, held_ - from));
}

// A wish: a kernel that doesn't follow it only reads less from the disk.
void FileWindow::ForgetCached() {
  Forget();
  static_cast<void>(::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED));
}

Result<std::uint64_t> FileWindow::FileBytes() const {
  struct stat info {};
  if (::fstat(fd_.get(), &info) != 0) return ErrnoError("cannot read the size of", path_);
  return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace hawser
