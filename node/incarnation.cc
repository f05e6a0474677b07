#include "node/incarnation.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <charconv>
#include <filesystem>
#include <optional>

#include "common/base/files.h"
#include "common/base/log.h"
#include "common/base/random.h"

namespace hawser {

namespace {

// What a lock on the folder is worth as a proof for: this folder, until the machine ends.
Result<std::string> PlaceOf(const std::string& folder) {
  HAWSER_ASSIGN(std::string run, ReadFile("/proc/sys/kernel/random/boot_id"));
  while (!run.empty() && run.back() == '\n') run.pop_back();
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) return ErrnoError("cannot look at", folder);
  return fmt::format("{} {}:{}", run, info.st_dev, info.st_ino);
}

struct Kept {
  std::uint64_t number = 0;
  std::string place;
};

// "NUMBER PLACE", the number in hex digits.
std::optional<Kept> FromText(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  Kept kept;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), kept.number, 16);
  if (problem != std::errc() || kept.number == 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.starts_with(' ')) kept.place = text.substr(1);
  return kept;
}

}  // namespace

Result<std::uint64_t> OwnIncarnation(const std::string& path) {
  HAWSER_ASSIGN(const std::string place, PlaceOf(std::filesystem::path(path).parent_path()));
  HAWSER_ASSIGN(const auto content, ReadFileIfThere(path));
  if (content) {
    const auto kept = FromText(*content);
    if (!kept)
      return Error{EBADMSG, "the number in '" + path +
                                "' that tells this node's state folder from others can't be read; remove the "
                                "file: the node then counts as a new one"};
    if (kept->place == place) return kept->number;
    log::info(
        "the state folder was copied or moved, or the machine started anew: this start has to wait for "
        "its predecessor, should the relay still hear of it");
  }
  const std::uint64_t made = RandomNumber();
  HAWSER_TRY(WriteFileAtomically(path, fmt::format("{:016x} {}\n", made, place)));
  return made;
}

}  // namespace hawser
