#include "volume/store/directory.h"

#include <fcntl.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include "common/base/unique_fd.h"

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

}  // namespace hawser
