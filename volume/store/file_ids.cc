#include "volume/store/file_ids.h"

#include <fmt/format.h>

#include "common/base/files.h"

namespace hawser {

Result<FileId> FileIds::Next() {
  const MutexLock lock(mutex_);
  if (next_ == reserved_) HAWSER_TRY(Reserve());
  return FileId((generation_.value << 48) | next_++);
}

// The file holds "GENERATION LIMIT": the counter of that generation may have been given up to LIMIT.
Status FileIds::Reserve() {
  std::uint64_t limit = 0;
  auto content = ReadFile(path_);
  if (content) {
    std::uint64_t generation = 0;
    if (std::sscanf(content->c_str(), "%lu %lu", &generation, &limit) != 2)
      return Error{EBADMSG, "the file '" + path_ + "' of reserved file ids can't be understood"};
    if (generation != generation_.value) limit = 0;
  } else if (content.error().code != ENOENT) {
    return std::move(content).error();
  }
  limit = std::max(limit, reserved_);
  HAWSER_TRY(WriteFileAtomically(path_, fmt::format("{} {}\n", generation_.value, limit + kBatch)));
  next_ = limit + 1;
  reserved_ = limit + kBatch;
  return {};
}

}  // namespace hawser
