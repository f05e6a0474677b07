#include "volume/store/store_owner.h"

#include <fmt/format.h>
#include <sys/xattr.h>

#include "common/base/files.h"

namespace hawser {

namespace {

constexpr const char* kVolumeXattr = "user.hawser.volume";

}  // namespace

Result<std::string> ReadStoreOwner(int root, const std::string& path) {
  char text[256];
  const ssize_t size = ::fgetxattr(root, kVolumeXattr, text, sizeof text);
  if (size >= 0) return std::string(text, static_cast<std::size_t>(size));
  if (errno == ENODATA) return std::string();
  return ErrnoError("cannot read the xattrs of the store", path);
}

Status WriteStoreOwner(int root, const std::string& owner, const std::string& path) {
  if (::fsetxattr(root, kVolumeXattr, owner.data(), owner.size(), 0) != 0)
    return ErrnoError("cannot mark the store", path);
  return {};
}

Error OthersStore(const std::string& path, const std::string& found, const std::string& wanted, bool empty) {
  const std::string advice =
      empty ? fmt::format(
                  "it holds no files: if that was its name before, make it anew: rmdir '{0}' && "
                  "mkdir '{0}'",
                  path)
            : "correct the config, or give it an empty folder";
  return {EINVAL,
          fmt::format("the store '{}' belongs to volume {} and not to {}; {}", path, found, wanted, advice)};
}

}  // namespace hawser
