#include "volume/store/directory.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <string_view>
#include <vector>

#include "common/base/unique_fd.h"
#include "volume/store/beneath.h"

namespace hawser {

Status VisitEntries(int directory, const std::function<bool(const dirent&)>& visit) {
  UniqueFd fd(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return ErrnoError("cannot list a folder of the store");
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(fd.get()), ::closedir);
  if (!listing) return ErrnoError("cannot list a folder of the store");
  fd.Release();
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(listing.get());
    if (entry == nullptr && errno != 0) return ErrnoError("cannot list a folder of the store");
    if (entry == nullptr) return {};
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && !visit(*entry)) return {};
  }
}

Result<bool> IsEmptyDirectory(int directory) {
  bool empty = true;
  HAWSER_TRY(VisitEntries(directory, [&](const dirent&) { return empty = false; }));
  return empty;
}

Result<bool> PathsBelowFit(int directory, std::size_t most) {
  std::vector<StorePath> todo{StorePath()};
  bool fit = true;
  while (!todo.empty() && fit) {
    const StorePath path = std::move(todo.back());
    todo.pop_back();
    HAWSER_ASSIGN(const UniqueFd fd, OpenBeneath(directory, path, O_PATH | O_DIRECTORY));
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return ErrnoError("cannot stat a folder of the store");
    const std::size_t lead = path.IsRoot() ? 0 : path.text().size() + 1;
    // Two links: no folder is in it, on the filesystems that count so.
    if (info.st_nlink == 2 && lead + kMaxNameBytes <= most) continue;
    const Status visited = VisitEntries(fd.get(), [&](const dirent& entry) {
      if (entry.d_type == DT_DIR) todo.push_back(path.Child(entry.d_name));
      return fit = lead + std::string_view(entry.d_name).size() <= most;
    });
    if (!visited && visited.error().code != EACCES) return visited.error();
  }
  return fit;
}

}  // namespace hawser
