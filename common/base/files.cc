#include "common/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "common/base/crash_point.h"

namespace hawser {

namespace {

std::string ParentOf(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace

Result<UniqueFd> OpenFile(const std::string& path, int flags, unsigned mode) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd) return ErrnoError("cannot open", path);
  return fd;
}

Result<std::string> ReadFile(const std::string& path) {
  HAWSER_ASSIGN(UniqueFd fd, OpenFile(path, O_RDONLY));
  std::string content;
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError("cannot read", path);
    if (got == 0) return content;
    content.append(buffer, static_cast<std::size_t>(got));
  }
}

Result<std::optional<std::string>> ReadFileIfThere(const std::string& path) {
  auto content = ReadFile(path);
  if (content) return std::optional(*std::move(content));
  if (content.error().code == ENOENT) return std::optional<std::string>();
  return std::move(content).error();
}

Status WriteFileAtomically(const std::string& path, const std::string& content) {
  const std::string temporary = path + ".new";
  {
    HAWSER_ASSIGN(UniqueFd fd, OpenFile(temporary, O_WRONLY | O_CREAT | O_TRUNC));
    HAWSER_TRY(WriteAllAt(fd.get(), AsBytes(content), 0, temporary));
    if (::fsync(fd.get()) != 0) return ErrnoError("cannot flush", temporary);
  }
  CrashPoint("file.written", path);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return ErrnoError("cannot replace", path);
  return SyncDirectory(ParentOf(path));
}

Status MakeDirectories(const std::string& path, unsigned mode) {
  if (path.empty()) return {};
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return {};
    return Error{ENOTDIR, "cannot use '" + path + "' as a folder"};
  }
  const std::string parent = ParentOf(path);
  if (parent != path) HAWSER_TRY(MakeDirectories(parent, mode));
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return ErrnoError("cannot create folder", path);
  return SyncDirectory(parent);
}

Status SyncDirectory(const std::string& path) {
  HAWSER_ASSIGN(UniqueFd fd, OpenFile(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return ErrnoError("cannot flush folder", path);
  return {};
}

Status WriteAllAt(int fd, Bytes bytes, std::uint64_t offset, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoError("cannot write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Result<std::size_t> ReadAllAt(int fd, std::span<std::byte> into, std::uint64_t offset,
                              const std::string& path) {
  std::size_t total = 0;
  while (total < into.size()) {
    const ssize_t got =
        ::pread(fd, into.data() + total, into.size() - total, static_cast<off_t>(offset + total));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError("cannot read", path);
    if (got == 0) break;
    total += static_cast<std::size_t>(got);
  }
  return total;
}

}  // namespace hawser
