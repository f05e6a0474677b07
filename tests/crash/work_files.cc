#include "tests/crash/work_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>

#include "common/base/files.h"

namespace hawser::test {

namespace {

constexpr std::size_t kDigits = 15;

}  // namespace

std::string Numbered(std::uint64_t n, std::size_t size) {
  char line[32];
  std::snprintf(line, sizeof line, "%015llu\n", static_cast<unsigned long long>(n));
  std::string content = line;
  content.resize(size);
  for (std::size_t i = kDigits + 1; i < size; ++i)
    content[i] = static_cast<char>('!' + (n * 31 + i * 7) % 90);
  return content;
}

std::optional<std::uint64_t> NumberOf(const std::string& content) {
  if (content.size() <= kDigits) return std::nullopt;
  std::uint64_t n = 0;
  if (std::from_chars(content.data(), content.data() + kDigits, n).ptr != content.data() + kDigits)
    return std::nullopt;
  if (content != Numbered(n, content.size())) return std::nullopt;
  return n;
}

std::string InWork(const Trees& trees, const std::string& volume, const std::string& name) {
  return trees.at(volume) + "/" + kWorkFolder + "/" + name;
}

Status CheckWorkFolder(const Trees& trees, const std::string& volume) {
  const std::string folder = trees.at(volume) + "/" + kWorkFolder;
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0) return ErrnoError("no work here:", folder);
  return {};
}

Error Impossible(const std::string& what) { return Error{kImpossible, what}; }

bool Exists(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0;
}

Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return ErrnoError("cannot make", path);
  return {};
}

Status Remove(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoError("cannot remove", path);
  return {};
}

Status RenameTo(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return ErrnoError("cannot rename", from);
  return {};
}

Result<UniqueFd> OpenToWrite(const std::string& path, int flags) {
  return OpenFile(path, O_RDWR | O_CREAT | flags, 0644);
}

Status WriteAt(int fd, const std::string& content, std::uint64_t offset, const std::string& path) {
  const ssize_t put = pwrite(fd, content.data(), content.size(), static_cast<off_t>(offset));
  if (put < 0) return ErrnoError("cannot write", path);
  if (static_cast<std::size_t>(put) != content.size()) return Error{EIO, "a short write to " + path};
  return {};
}

Status Sync(int fd, const std::string& path) {
  if (fsync(fd) != 0) return ErrnoError("cannot flush", path);
  return {};
}

Result<std::vector<std::string>> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  std::filesystem::directory_iterator entry(folder, failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed))
    names.push_back(entry->path().filename());
  if (failed && failed.value() != ENOENT) return Error{failed.value(), "cannot list " + folder};
  return names;
}

Result<std::string> ReadIfThere(const std::string& path) {
  HAWSER_ASSIGN(auto content, ReadFileIfThere(path));
  return std::move(content).value_or("");
}

}  // namespace hawser::test
