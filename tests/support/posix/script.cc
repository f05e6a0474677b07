#include "tests/support/posix/script.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>

#include "tests/support/escape.h"

namespace hawser::test::posix {
namespace {

constexpr std::size_t kShownBytes = 64;

const char* TypeWord(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "file";
    case S_IFDIR:
      return "folder";
    case S_IFLNK:
      return "symlink";
    case S_IFIFO:
      return "fifo";
    case S_IFSOCK:
      return "socket";
    case S_IFCHR:
      return "chardev";
    case S_IFBLK:
      return "blockdev";
    default:
      return "unknown";
  }
}

std::string DescribeStat(const struct stat& info) {
  char text[160];
  std::snprintf(text, sizeof text, "%s %04o %u:%u nlink %lu", TypeWord(info.st_mode), info.st_mode & 07777,
                info.st_uid, info.st_gid, static_cast<unsigned long>(info.st_nlink));
  std::string line = text;
  if (S_ISREG(info.st_mode) || S_ISLNK(info.st_mode)) line += " size " + std::to_string(info.st_size);
  if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode))
    line += " device " + std::to_string(major(info.st_rdev)) + ":" + std::to_string(minor(info.st_rdev));
  return line;
}

bool Before(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

std::string Moved(const char* name, const timespec& before, const timespec& after) {
  if (Before(before, after)) return std::string(" ") + name;
  if (Before(after, before)) return std::string(" ") + name + "(back)";
  return "";
}

}  // namespace

std::string ErrnoName(int code) {
  const char* name = strerrorname_np(code);
  return name != nullptr ? name : "errno " + std::to_string(code);
}

void Script::Line(const std::string& text) {
  const std::string line = EscapeBytes(text) + "\n";
  if (write(out_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(99);
}

long Script::Step(const std::string& what, long result) {
  const int code = errno;
  Line(what + " -> " + (result >= 0 ? "ok" : ErrnoName(code)));
  return result;
}

long Script::Value(const std::string& what, long result) {
  const int code = errno;
  Line(what + " -> " + (result >= 0 ? std::to_string(result) : ErrnoName(code)));
  return result;
}

void Script::Note(const std::string& text) { Line("# " + text); }

void Script::Show(const std::string& path) { Line("  " + path + ": " + Describe(path)); }

void Script::ShowOpen(const std::string& what, int fd) {
  struct stat info {};
  Line("  " + what + ": " + (fstat(fd, &info) == 0 ? DescribeStat(info) : ErrnoName(errno)));
}

void Script::ShowBytes(const std::string& what, const std::string& bytes) {
  if (bytes.size() <= kShownBytes) {
    Line("  " + what + " = \"" + bytes + "\"");
    return;
  }
  std::uint64_t sum = 14695981039346656037u;
  for (const char c : bytes) sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211u;
  Line("  " + what + " = " + std::to_string(bytes.size()) + " bytes, checksum " + std::to_string(sum));
}

void Script::ShowContent(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd)
    Line("  " + path + ": " + ErrnoName(errno));
  else
    ShowBytes(path, ReadAll(fd.get()));
}

void Script::ShowNames(const std::string& folder) {
  DIR* stream = opendir(folder.c_str());
  if (stream == nullptr) return Line("  " + folder + ": " + ErrnoName(errno));
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream)) names.emplace_back(entry->d_name);
  closedir(stream);
  std::sort(names.begin(), names.end());
  std::string line;
  for (const std::string& name : names) line += " " + name;
  Line("  " + folder + " holds" + line);
}

void Script::Times(std::initializer_list<std::string> paths, const std::string& what,
                   const std::function<long()>& call) {
  std::map<std::string, struct stat> before;
  for (const std::string& path : paths) {
    struct stat info {};
    if (lstat(path.c_str(), &info) == 0) before[path] = info;
  }
  Tick();
  Step(what, call());
  for (const std::string& path : paths) {
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0) {
      Line("  times of " + path + ": " + ErrnoName(errno));
    } else if (!before.contains(path)) {
      Line("  times of " + path + ": new");
    } else {
      const struct stat& old = before[path];
      const std::string moved =
          Moved("mtime", old.st_mtim, info.st_mtim) + Moved("ctime", old.st_ctim, info.st_ctim);
      Line("  times of " + path + ":" + (moved.empty() ? " same" : moved));
    }
  }
}

void Script::InChild(const std::function<void()>& steps) {
  const pid_t child = fork();
  Must(child, "fork");
  if (child == 0) {
    steps();
    _exit(0);
  }
  int status = 0;
  Must(waitpid(child, &status, 0), "waitpid");
  if (status != 0) Line("the child ended with status " + std::to_string(status));
}

void Script::As(uid_t uid, gid_t gid, const std::function<void()>& steps) {
  InChild([&] {
    const gid_t groups[] = {kShared};
    Must(setgroups(uid == kUser ? 1 : 0, groups), "setgroups");
    Must(setresgid(gid, gid, gid), "setresgid");
    Must(setresuid(uid, uid, uid), "setresuid");
    steps();
  });
}

void Must(long result, const std::string& what) {
  if (result >= 0) return;
  std::fprintf(stderr, "hawser-posix: cannot prepare a case: %s: %s\n", what.c_str(), std::strerror(errno));
  _exit(98);
}

void MakeFile(const std::string& path, const std::string& content, mode_t mode) {
  const UniqueFd fd = Open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  Must(write(fd.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()) ? 0 : -1,
       "write " + path);
  Must(fchmod(fd.get(), mode), "chmod " + path);
}

void MakeFolder(const std::string& path, mode_t mode) {
  Must(mkdir(path.c_str(), mode), "mkdir " + path);
  Must(chmod(path.c_str(), mode), "chmod " + path);
}

UniqueFd Open(const std::string& path, int flags, mode_t mode) {
  UniqueFd fd(open(path.c_str(), flags | O_CLOEXEC, mode));
  Must(fd.get(), "open " + path);
  return fd;
}

std::string ReadAll(int fd) {
  std::string all;
  char buffer[65536];
  for (off_t offset = 0;;) {
    const ssize_t got = pread(fd, buffer, sizeof buffer, offset);
    if (got < 0) return "(read: " + ErrnoName(errno) + ")";
    if (got == 0) return all;
    all.append(buffer, static_cast<std::size_t>(got));
    offset += got;
  }
}

std::string Describe(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return ErrnoName(errno);
  std::string line = DescribeStat(info);
  if (S_ISLNK(info.st_mode)) {
    char target[4096];
    const ssize_t length = readlink(path.c_str(), target, sizeof target);
    line += length < 0 ? " -> " + ErrnoName(errno)
                       : " -> " + std::string(target, static_cast<std::size_t>(length));
  }
  return line;
}

void Clear() {
  for (const auto& entry : std::filesystem::directory_iterator(".")) {
    std::error_code failed;
    std::filesystem::remove_all(entry.path(), failed);
  }
}

// Until the clock that the kernel takes file times from has passed this moment. It goes in ticks, which come
// late on a busy machine; and a file that was looked at before may have been given the time to the
// nanosecond.
void Tick() {
  timespec begin{}, now{};
  clock_gettime(CLOCK_REALTIME, &begin);
  do {
    const timespec pause{0, 1'000'000};
    nanosleep(&pause, nullptr);
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
  } while (!Before(begin, now));
}

std::vector<Case> AllCases() {
  std::vector<Case> all;
  for (const auto& family :
       {OpenCases(), CreateCases(), RemoveCases(), RenameCases(), LinkCases(), PathCases(), DataCases(),
        SpaceCases(), MappingCases(), AttributeCases(), PrivilegeCases(), XattrCases(), AclCases(),
        LockCases(), FolderCases(), TimeCases()})
    all.insert(all.end(), family.begin(), family.end());
  return all;
}

}  // namespace hawser::test::posix
