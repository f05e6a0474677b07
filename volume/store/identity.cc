#include "volume/store/identity.h"

#include <fmt/format.h>
#include <sys/xattr.h>

#include <charconv>

#include "volume/store/beneath.h"
#include "volume/store/owner_access.h"

namespace hawser {

namespace {

constexpr const char* kIdXattr = "user.hawser.id";
constexpr const char* kValueIdXattr = "trusted.hawser.id";
constexpr std::size_t kIdDigits = 16;

Result<FileId> ParseId(const char* text, ssize_t size) {
  if (size < 0 && (errno == ENODATA || errno == EPERM || errno == ENOTSUP)) return kNoFileId;
  if (size < 0) return ErrnoError("cannot read the file id");
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text, text + size, value, 16);
  if (problem != std::errc() || end != text + size)
    return Error{EUCLEAN, fmt::format("the xattr hawser.id holds '{}', which is no file id",
                                      std::string_view(text, static_cast<std::size_t>(size)))};
  return FileId(value);
}

}  // namespace

Result<FileId> ReadFileId(const std::string& path) {
  char text[kIdDigits + 1];
  ssize_t size = ::getxattr(path.c_str(), kIdXattr, text, sizeof text);
  if (size < 0 && errno == EACCES) {
    const OwnerAccess access(path);
    size = ::getxattr(path.c_str(), kIdXattr, text, sizeof text);
  }
  if (size < 0 && (errno == ENODATA || errno == EPERM)) return ReadValueId(path);
  return ParseId(text, size);
}

Result<FileId> ReadValueId(const std::string& path) {
  char text[kIdDigits + 1];
  return ParseId(text, ::getxattr(path.c_str(), kValueIdXattr, text, sizeof text));
}

Result<FileId> ReadFileId(int fd) {
  char text[kIdDigits + 1];
  const ssize_t size = ::fgetxattr(fd, kIdXattr, text, sizeof text);
  if (size < 0 && errno == EACCES) return ReadFileId(ProcPath(fd));
  return ParseId(text, size);
}

Status WriteFileId(int fd, FileId id) {
  const std::string text = fmt::format("{:x}", id.value);
  if (::fsetxattr(fd, kIdXattr, text.data(), text.size(), 0) != 0)
    return ErrnoError("cannot set the file id");
  return {};
}

Status WriteValueId(const std::string& path, FileId id) {
  const std::string text = fmt::format("{:x}", id.value);
  if (::setxattr(path.c_str(), kValueIdXattr, text.data(), text.size(), 0) != 0)
    return ErrnoError("cannot set the file id");
  return {};
}

}  // namespace hawser
