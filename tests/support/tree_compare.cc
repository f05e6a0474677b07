#include "tests/support/tree_compare.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "common/base/files.h"
#include "common/base/unique_fd.h"
#include "tests/support/escape.h"

namespace hawser::test {
namespace {

constexpr std::size_t kContentChunk = 512 * kKiB;

bool IsHidden(const std::string& xattr) {
  return xattr.starts_with("user.hawser.") || xattr.starts_with("trusted.hawser.");
}

using Xattrs = std::map<std::string, std::string>;
using Inode = std::pair<dev_t, ino_t>;

std::string TypeName(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "file";
    case S_IFDIR:
      return "directory";
    case S_IFLNK:
      return "symlink";
    case S_IFIFO:
      return "fifo";
    case S_IFSOCK:
      return "socket";
    case S_IFCHR:
      return "character device";
    case S_IFBLK:
      return "block device";
    default:
      return "unknown type";
  }
}

std::string Octal(mode_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", mode & 07777);
  return text;
}

std::string TimeText(const timespec& time) {
  char text[48];
  std::snprintf(text, sizeof text, "%lld.%09ld", static_cast<long long>(time.tv_sec), time.tv_nsec);
  return text;
}

// A node of one tree, by its directory and name there.
struct Place {
  int folder;
  const std::string& name;
  const std::string& path;  // for messages

  // Follows no symlink at the end; also works for what cannot be opened.
  std::string ProcPath() const { return "/proc/self/fd/" + std::to_string(folder) + "/" + name; }
};

Result<struct stat> Stat(const Place& place) {
  struct stat info {};
  if (fstatat(place.folder, place.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return ErrnoError("cannot stat", EscapeBytes(place.path));
  return info;
}

// O_NOATIME where it is allowed, so that comparing leaves no traces.
Result<UniqueFd> Open(const Place& place, int flags) {
  flags |= O_RDONLY | O_NOFOLLOW | O_CLOEXEC;
  int fd = openat(place.folder, place.name.c_str(), flags | O_NOATIME);
  if (fd < 0 && errno == EPERM) fd = openat(place.folder, place.name.c_str(), flags);
  if (fd < 0) return ErrnoError("cannot open", EscapeBytes(place.path));
  return UniqueFd(fd);
}

Result<std::string> LinkTarget(const Place& place) {
  char target[PATH_MAX];
  const ssize_t length = readlinkat(place.folder, place.name.c_str(), target, sizeof target);
  if (length < 0) return ErrnoError("cannot read the link", EscapeBytes(place.path));
  return std::string(target, static_cast<std::size_t>(length));
}

// Calls `get(buffer, size)` in the way of listxattr and getxattr until the answer fits.
template <class Get>
Result<std::string> GrowingRead(Get get, const Place& place) {
  std::string buffer(1024, '\0');
  while (true) {
    const ssize_t length = get(buffer.data(), buffer.size());
    if (length >= 0) {
      buffer.resize(static_cast<std::size_t>(length));
      return buffer;
    }
    if (errno == ENOTSUP) return std::string();
    if (errno != ERANGE) return ErrnoError("cannot read the xattrs of", EscapeBytes(place.path));
    buffer.resize(buffer.size() * 8);
  }
}

Result<Xattrs> ReadXattrs(const Place& place) {
  const std::string path = place.ProcPath();
  HAWSER_ASSIGN(
      const std::string names,
      GrowingRead([&](char* to, std::size_t size) { return llistxattr(path.c_str(), to, size); }, place));
  Xattrs xattrs;
  for (std::size_t at = 0; at < names.size(); at += std::strlen(&names[at]) + 1) {
    const std::string name = &names[at];
    if (IsHidden(name)) continue;
    HAWSER_ASSIGN(xattrs[name], GrowingRead(
                                    [&](char* to, std::size_t size) {
                                      return lgetxattr(path.c_str(), name.c_str(), to, size);
                                    },
                                    place));
  }
  return xattrs;
}

Result<std::vector<std::string>> ListNames(int folder, const std::string& path) {
  const int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) return ErrnoError("cannot list", EscapeBytes(path));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(again), &closedir);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  if (errno != 0) return ErrnoError("cannot list", EscapeBytes(path));
  std::sort(names.begin(), names.end());
  return names;
}

class Comparison {
 public:
  explicit Comparison(const CompareOptions& options) : options_(options) {}

  Status CompareNode(const Place& left, const Place& right);
  CompareReport TakeReport() { return std::move(report_); }

 private:
  void Differ(const std::string& path, std::string what, std::string left, std::string right);
  template <class T, class Show>
  void Check(const std::string& path, const char* what, const T& left, const T& right, Show show);

  void CompareAttributes(const std::string& path, const struct stat& left, const struct stat& right);
  void CompareLinks(const std::string& path, const struct stat& left, const struct stat& right);
  Status CompareXattrs(const Place& left, const Place& right);
  Status CompareSymlinks(const Place& left, const Place& right);
  Status CompareContent(const Place& left, const Place& right);
  Status CompareFolders(const Place& left, const Place& right);

  CompareOptions options_;
  CompareReport report_;
  std::map<Inode, std::string> first_left_;  // first name of each inode with more than one
  std::map<Inode, std::string> first_right_;
  std::string buffer_left_ = std::string(kContentChunk, '\0');
  std::string buffer_right_ = std::string(kContentChunk, '\0');
};

void Comparison::Differ(const std::string& path, std::string what, std::string left, std::string right) {
  ++report_.differing;
  if (report_.differences.size() < options_.keep)
    report_.differences.push_back({path, std::move(what), std::move(left), std::move(right)});
}

template <class T, class Show>
void Comparison::Check(const std::string& path, const char* what, const T& left, const T& right, Show show) {
  if (left != right) Differ(path, what, show(left), show(right));
}

void Comparison::CompareAttributes(const std::string& path, const struct stat& left,
                                   const struct stat& right) {
  const auto number = [](auto value) { return std::to_string(value); };
  Check(path, "mode", left.st_mode & 07777, right.st_mode & 07777, Octal);
  Check(path, "uid", left.st_uid, right.st_uid, number);
  Check(path, "gid", left.st_gid, right.st_gid, number);
  Check(path, "mtime", TimeText(left.st_mtim), TimeText(right.st_mtim),
        [](const auto& text) { return text; });
  if (S_ISREG(left.st_mode) || S_ISLNK(left.st_mode))
    Check(path, "size", left.st_size, right.st_size, number);
  if (S_ISCHR(left.st_mode) || S_ISBLK(left.st_mode)) {
    Check(path, "device", left.st_rdev, right.st_rdev,
          [](dev_t device) { return std::to_string(major(device)) + ":" + std::to_string(minor(device)); });
  }
  if (!S_ISDIR(left.st_mode)) CompareLinks(path, left, right);
}

// Both trees are walked in the same order, so names that share an inode on both sides have the same first
// name.
void Comparison::CompareLinks(const std::string& path, const struct stat& left, const struct stat& right) {
  Check(path, "link count", left.st_nlink, right.st_nlink, [](auto value) { return std::to_string(value); });
  if (left.st_nlink < 2 && right.st_nlink < 2) return;
  const auto& first_left = first_left_.try_emplace(Inode(left.st_dev, left.st_ino), path).first->second;
  const auto& first_right = first_right_.try_emplace(Inode(right.st_dev, right.st_ino), path).first->second;
  Check(path, "hard link to", first_left, first_right, EscapeBytes);
}

Status Comparison::CompareXattrs(const Place& left, const Place& right) {
  HAWSER_ASSIGN(const Xattrs of_left, ReadXattrs(left));
  HAWSER_ASSIGN(const Xattrs of_right, ReadXattrs(right));
  if (of_left == of_right) return {};
  Xattrs all = of_left;
  all.insert(of_right.begin(), of_right.end());
  const auto value = [](const Xattrs& xattrs, const std::string& name) {
    const auto found = xattrs.find(name);
    return found == xattrs.end() ? std::string("(none)") : '"' + EscapeBytes(found->second) + '"';
  };
  for (const auto& [name, unused] : all) {
    const std::string on_left = value(of_left, name);
    const std::string on_right = value(of_right, name);
    if (on_left != on_right) Differ(left.path, "xattr " + EscapeBytes(name), on_left, on_right);
  }
  return {};
}

Status Comparison::CompareSymlinks(const Place& left, const Place& right) {
  HAWSER_ASSIGN(const std::string of_left, LinkTarget(left));
  HAWSER_ASSIGN(const std::string of_right, LinkTarget(right));
  Check(left.path, "link target", of_left, of_right, EscapeBytes);
  return {};
}

Status Comparison::CompareContent(const Place& left, const Place& right) {
  HAWSER_ASSIGN(const UniqueFd fd_left, Open(left, 0));
  HAWSER_ASSIGN(const UniqueFd fd_right, Open(right, 0));
  const auto read = [](const UniqueFd& fd, std::string& into, std::uint64_t offset, const std::string& path) {
    return ReadAllAt(fd.get(), std::as_writable_bytes(std::span(into)), offset, EscapeBytes(path));
  };
  for (std::uint64_t offset = 0;; offset += kContentChunk) {
    HAWSER_ASSIGN(const std::size_t got_left, read(fd_left, buffer_left_, offset, left.path));
    HAWSER_ASSIGN(const std::size_t got_right, read(fd_right, buffer_right_, offset, right.path));
    const std::size_t both = std::min(got_left, got_right);
    report_.bytes += both;
    if (std::memcmp(buffer_left_.data(), buffer_right_.data(), both) != 0) {
      const auto end = buffer_left_.begin() + static_cast<std::ptrdiff_t>(both);
      const auto [at_left, at_right] = std::mismatch(buffer_left_.begin(), end, buffer_right_.begin());
      const auto byte = [](char c) { return "byte " + std::to_string(static_cast<unsigned char>(c)); };
      const std::uint64_t at = offset + static_cast<std::uint64_t>(at_left - buffer_left_.begin());
      Differ(left.path, "content at " + std::to_string(at), byte(*at_left), byte(*at_right));
      return {};
    }
    if (got_left != got_right) {
      Differ(left.path, "content", std::to_string(offset + got_left) + " bytes",
             std::to_string(offset + got_right) + " bytes");
      return {};
    }
    if (got_left < kContentChunk) return {};
  }
}

Status Comparison::CompareFolders(const Place& left, const Place& right) {
  HAWSER_ASSIGN(const UniqueFd fd_left, Open(left, O_DIRECTORY));
  HAWSER_ASSIGN(const UniqueFd fd_right, Open(right, O_DIRECTORY));
  HAWSER_ASSIGN(const auto names_left, ListNames(fd_left.get(), left.path));
  HAWSER_ASSIGN(const auto names_right, ListNames(fd_right.get(), right.path));
  const std::string prefix = left.path == "." ? "" : left.path + "/";
  auto on_left = names_left.begin();
  auto on_right = names_right.begin();
  while (on_left != names_left.end() || on_right != names_right.end()) {
    if (on_right == names_right.end() || (on_left != names_left.end() && *on_left < *on_right)) {
      Differ(prefix + *on_left++, "name", "is there", "missing");
    } else if (on_left == names_left.end() || *on_right < *on_left) {
      Differ(prefix + *on_right++, "name", "missing", "is there");
    } else {
      const std::string path = prefix + *on_left;
      HAWSER_TRY(CompareNode({fd_left.get(), *on_left, path}, {fd_right.get(), *on_right, path}));
      ++on_left;
      ++on_right;
    }
  }
  return {};
}

Status Comparison::CompareNode(const Place& left, const Place& right) {
  HAWSER_ASSIGN(const struct stat of_left, Stat(left));
  HAWSER_ASSIGN(const struct stat of_right, Stat(right));
  ++report_.entries;
  if ((of_left.st_mode & S_IFMT) != (of_right.st_mode & S_IFMT)) {
    Differ(left.path, "type", TypeName(of_left.st_mode), TypeName(of_right.st_mode));
    return {};
  }
  const bool content_seen =
      of_left.st_nlink > 1 && first_left_.contains(Inode(of_left.st_dev, of_left.st_ino)) &&
      of_right.st_nlink > 1 && first_right_.contains(Inode(of_right.st_dev, of_right.st_ino));
  CompareAttributes(left.path, of_left, of_right);
  HAWSER_TRY(CompareXattrs(left, right));
  if (S_ISLNK(of_left.st_mode)) return CompareSymlinks(left, right);
  if (S_ISREG(of_left.st_mode) && !content_seen) return CompareContent(left, right);
  if (S_ISDIR(of_left.st_mode)) return CompareFolders(left, right);
  return {};
}

}  // namespace

std::string Difference::Text() const { return EscapeBytes(path) + ": " + what + ": " + left + " | " + right; }

std::string CompareReport::Text() const {
  std::string text;
  for (const Difference& difference : differences) text += difference.Text() + "\n";
  if (differing > differences.size())
    text += "... and " + std::to_string(differing - differences.size()) + " more\n";
  return text;
}

Result<CompareReport> CompareTrees(const std::string& left, const std::string& right,
                                   const CompareOptions& options) {
  HAWSER_ASSIGN(const UniqueFd root_left, OpenFile(left, O_PATH | O_DIRECTORY | O_CLOEXEC));
  HAWSER_ASSIGN(const UniqueFd root_right, OpenFile(right, O_PATH | O_DIRECTORY | O_CLOEXEC));
  const std::string root = ".";
  Comparison comparison(options);
  HAWSER_TRY(comparison.CompareNode({root_left.get(), root, root}, {root_right.get(), root, root}));
  return comparison.TakeReport();
}

}  // namespace hawser::test
