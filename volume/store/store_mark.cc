#include "volume/store/store_mark.h"

#include <fmt/format.h>
#include <sys/xattr.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace hawser {

namespace {

constexpr const char* kMarksXattr = "user.hawser.checkpoint";

// "NEWEST BEFORE JOURNAL SEQUENCE GROUP DIGEST" in hex digits: always as long, so that it needs no new room.
std::string ToText(const StoreMarks& marks) {
  return fmt::format("{:016x} {:016x} {} {:016x} {:016x} {}", marks.newest, marks.before,
                     marks.at.journal.Hex(), marks.at.sequence.value, marks.at.group.value,
                     marks.at.digest.Hex());
}

// Takes the next word off the text.
std::string_view Word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

std::optional<std::uint64_t> Number(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(digits.begin(), digits.end(), number, 16);
  if (problem != std::errc() || end != digits.end()) return std::nullopt;
  return number;
}

std::optional<StoreMarks> FromText(std::string_view text) {
  const auto newest = Number(Word(text));
  const auto before = Number(Word(text));
  const auto journal = Digest::FromHex(Word(text));
  const auto sequence = Number(Word(text));
  const auto group = Number(Word(text));
  const auto digest = Digest::FromHex(Word(text));
  if (!newest || !before || !journal || !sequence || !group || !digest || !text.empty()) return std::nullopt;
  return StoreMarks{*newest, *before,
                    Position{JournalId{journal->bytes}, Sequence(*sequence), Group(*group), *digest}};
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
  const std::string text = ToText(marks);
  if (::fsetxattr(root, kMarksXattr, text.data(), text.size(), 0) != 0)
    return ErrnoError("cannot put the checkpoint's mark on the store", path);
  return {};
}

Error WrongStore(const VolumeName& volume, const std::string& path) {
  return {
      ESTALE,
      fmt::format("the store '{}' of volume {} is not the one that this node's checkpoint is of: it doesn't "
                  "carry the checkpoint's mark. Its disk isn't mounted, or it is an older copy or another "
                  "store: put the right one there",
                  path, volume.value)};
}

Status CheckMarks(const std::optional<Checkpoint>& checkpoint, const StoreMarks& marks,
                  const VolumeName& volume, const std::string& path) {
  if (!checkpoint || marks.Has(checkpoint->mark)) return {};
  return WrongStore(volume, path);
}

}  // namespace hawser
