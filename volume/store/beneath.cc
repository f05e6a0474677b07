#include "volume/store/beneath.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <string_view>

#include "volume/store/owner_access.h"

namespace hawser {

namespace {

UniqueFd OpenStep(int from, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, from, path.c_str(), &how, sizeof how)));
}

// Through folders that their owner has closed.
UniqueFd OpenStepwise(int from, std::string_view path, int flags) {
  FolderAccess access;
  UniqueFd at = OpenStep(from, ".", O_PATH | O_DIRECTORY);
  for (bool is_last = false; at && !is_last;) {
    const std::size_t slash = path.find('/');
    is_last = slash == std::string_view::npos;
    access.Lift(at.get());
    at = OpenStep(at.get(), std::string(path.substr(0, slash)), is_last ? flags : O_PATH | O_DIRECTORY);
    path.remove_prefix(is_last ? path.size() : slash + 1);
  }
  return at;
}

UniqueFd OpenPart(int from, const std::string& path, int flags) {
  UniqueFd fd = OpenStep(from, path, flags);
  if (!fd && errno == EACCES && ::geteuid() != 0) fd = OpenStepwise(from, path, flags);
  return fd;
}

}  // namespace

Result<UniqueFd> OpenBeneath(int root, const StorePath& path, int flags) {
  std::string rest = path.IsRoot() ? "." : path.text();
  UniqueFd base;
  // A tree can be deeper than one system call takes (PATH_MAX): go down in steps.
  while (rest.size() >= PATH_MAX) {
    const std::size_t slash = rest.rfind('/', PATH_MAX - 1);
    UniqueFd next = OpenPart(base ? base.get() : root, rest.substr(0, slash), O_PATH | O_DIRECTORY);
    if (!next) return ErrnoError("cannot open", path.Printable());
    base = std::move(next);
    rest.erase(0, slash + 1);
  }
  UniqueFd fd = OpenPart(base ? base.get() : root, rest, flags);
  if (!fd) return ErrnoError("cannot open", path.Printable());
  return fd;
}

Result<EntryRef> OpenParent(int root, const StorePath& path) {
  HAWSER_ASSIGN(UniqueFd parent, OpenBeneath(root, path.Parent(), O_PATH | O_DIRECTORY));
  return EntryRef{std::move(parent), std::string(path.Name())};
}

std::string ProcPath(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

}  // namespace hawser
