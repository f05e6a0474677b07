#include "volume/store/store_mark.h"

#include <fmt/format.h>
#include <sys/xattr.h>

#include <charconv>

namespace hawser {

namespace {

constexpr const char* kMarksXattr = "user.hawser.checkpoint";

// "NEWEST BEFORE", 16 hex digits each.
constexpr std::size_t kDigits = 16;
constexpr std::size_t kTextBytes = 2 * kDigits + 1;

std::optional<std::uint64_t> FromHex(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(digits.begin(), digits.end(), number, 16);
  if (problem != std::errc() || end != digits.end()) return std::nullopt;
  return number;
}

std::optional<StoreMarks> FromText(std::string_view text) {
  if (text.size() != kTextBytes || text[kDigits] != ' ') return std::nullopt;
  const auto newest = FromHex(text.substr(0, kDigits));
  const auto before = FromHex(text.substr(kDigits + 1));
  if (!newest || !before) return std::nullopt;
  return StoreMarks{*newest, *before};
}

}  // namespace

Result<StoreMarks> ReadStoreMarks(int root, const std::string& path) {
  char text[256];
  const ssize_t size = ::fgetxattr(root, kMarksXattr, text, sizeof text);
  if (size < 0 && errno == ENODATA) return StoreMarks{};
  if (size < 0 && errno != ERANGE) return ErrnoError("cannot read the checkpoint's mark on the store", path);
  const auto marks = size < 0 ? std::nullopt : FromText({text, static_cast<std::size_t>(size)});
  if (marks) return *marks;
  return Error{EBADMSG,
               fmt::format("the checkpoint's mark on the store '{}' (xattr {}) can't be understood; put "
                           "the right store back",
                           path, kMarksXattr)};
}

Status WriteStoreMarks(int root, const StoreMarks& marks, const std::string& path) {
  const std::string text = fmt::format("{:016x} {:016x}", marks.newest, marks.before);
  if (::fsetxattr(root, kMarksXattr, text.data(), text.size(), 0) != 0)
    return ErrnoError("cannot put the checkpoint's mark on the store", path);
  return {};
}

Error WrongStore(const VolumeName& volume, const std::string& path) {
  return {
      ESTALE,
      fmt::format(
          "the store '{}' of volume {} is not the one that this node's checkpoint is of: it doesn't "
          "carry the checkpoint's mark. Its disk isn't mounted, or it is an older copy or another "
          "store: put the right one there. If it is meant to be new and empty, start once with 'hawser mount "
          "NODE --new-store {}': then all is replayed from the journal, or the volume needs a sync",
          path, volume.value, volume.value)};
}

Status CheckMarks(const std::optional<Checkpoint>& checkpoint, const StoreMarks& marks,
                  const VolumeName& volume, const std::string& path) {
  if (!checkpoint || marks.Has(checkpoint->mark)) return {};
  return WrongStore(volume, path);
}

}  // namespace hawser
