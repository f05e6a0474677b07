#include "common/journal/disk.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/base/bytes.h"
#include "common/base/files.h"

namespace hawser {

namespace {

// What is left of `parts` after `done` bytes of it.
std::span<iovec> Advance(std::span<iovec> parts, std::size_t done) {
  while (!parts.empty() && done >= parts.front().iov_len) {
    done -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (done > 0) {
    parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + done;
    parts.front().iov_len -= done;
  }
  return parts;
}

}  // namespace

Status Disk::Write(int fd, std::span<iovec> parts, std::uint64_t offset, const std::string& path) {
  parts = Advance(parts, 0);
  while (!parts.empty()) {
    const int count = static_cast<int>(std::min<std::size_t>(parts.size(), IOV_MAX));
    const ssize_t put = ::pwritev(fd, parts.data(), count, static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoError("cannot write journal segment", path);
    parts = Advance(parts, static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Status Disk::WriteZeros(int fd, std::uint64_t from, std::uint64_t to, const std::string& path) {
  Buffer zeros(std::min(kMiB, to - from));
  for (std::uint64_t at = from; at < to; at += zeros.size()) {
    std::array parts{iovec{zeros.data(), std::min<std::uint64_t>(zeros.size(), to - at)}};
    HAWSER_TRY(Write(fd, parts, at, path));
  }
  return {};
}

Status Disk::Flush(int fd, const std::string& path) {
  if (::fdatasync(fd) != 0) return ErrnoError("cannot flush journal segment", path);
  return {};
}

Status Disk::Allocate(int fd, std::uint64_t bytes, const std::string& path) {
  const auto size = static_cast<off_t>(bytes);
  int result;
  do {
    result = ::fallocate(fd, 0, 0, size);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno == EOPNOTSUPP) result = ::ftruncate(fd, size);
  if (result != 0) return ErrnoError("cannot allocate journal segment", path);
  return {};
}

Status Disk::FlushFolder(const std::string& folder) { return SyncDirectory(folder); }

Status Disk::Remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return ErrnoError("cannot remove journal segment", path);
  return {};
}

}  // namespace hawser
