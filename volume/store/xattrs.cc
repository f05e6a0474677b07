#include "volume/store/xattrs.h"

#include <sys/xattr.h>

#include <cstring>

#include "volume/store/identity.h"

namespace hawser {

namespace {

// What the kernel takes of names, and of a value, at most.
constexpr std::size_t kMostXattrBytes = 64 * kKiB;

}  // namespace

Result<std::vector<std::string>> ShownXattrs(const std::string& node, const std::string& shown) {
  std::string list(kMostXattrBytes, '\0');
  const ssize_t size = ::listxattr(node.c_str(), list.data(), list.size());
  if (size < 0 && errno == ENOTSUP) return std::vector<std::string>();
  if (size < 0) return ErrnoError("cannot list the xattrs of", shown);
  std::vector<std::string> names;
  for (std::size_t at = 0; at < static_cast<std::size_t>(size); at += std::strlen(&list[at]) + 1) {
    if (!IsHiddenXattr(&list[at])) names.emplace_back(&list[at]);
  }
  return names;
}

Result<std::optional<Buffer>> ReadXattr(const std::string& node, const std::string& name,
                                        const std::string& shown) {
  Buffer value(kMostXattrBytes);
  const ssize_t size = ::getxattr(node.c_str(), name.c_str(), value.data(), value.size());
  if (size < 0 && errno != ENODATA && errno != ENOTSUP) return ErrnoError("cannot read xattr " + name, shown);
  if (size < 0) return std::optional<Buffer>();
  value.resize(static_cast<std::size_t>(size));
  return std::optional(std::move(value));
}

}  // namespace hawser
