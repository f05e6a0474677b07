#include "common/store/identity.h"

#include <fmt/format.h>
#include <sys/xattr.h>

#include <charconv>

namespace hawser {

namespace {

constexpr const char* kIdXattr = "user.hawser.id";
constexpr std::size_t kIdDigits = 16;

Result<FileId> ParseId(const char* text, ssize_t size) {
  // Symlinks and special files cannot carry user xattrs: EPERM. They have no id.
  if (size < 0 && (errno == ENODATA || errno == EPERM)) return kNoFileId;
  if (size < 0) return ErrnoError("cannot read the file id");
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text, text + size, value, 16);
  if (problem != std::errc() || end != text + size)
    return Error{EUCLEAN, fmt::format("the xattr {} holds '{}', which is no file id", kIdXattr,
                                      std::string_view(text, static_cast<std::size_t>(size)))};
  return FileId(value);
}

}  // namespace

Result<FileId> ReadFileId(const std::string& path) {
  char text[kIdDigits + 1];
  return ParseId(text, ::getxattr(path.c_str(), kIdXattr, text, sizeof text));
}

Result<FileId> ReadFileId(int fd) {
  char text[kIdDigits + 1];
  return ParseId(text, ::fgetxattr(fd, kIdXattr, text, sizeof text));
}

Status WriteFileId(int fd, FileId id) {
  const std::string text = fmt::format("{:x}", id.value);
  if (::fsetxattr(fd, kIdXattr, text.data(), text.size(), 0) != 0) return ErrnoError("cannot set the file id");
  return {};
}

}  // namespace hawser
