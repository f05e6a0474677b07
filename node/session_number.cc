#include "node/session_number.h"

#include <algorithm>
#include <charconv>

#include "common/base/clock.h"
#include "common/base/files.h"

namespace hawser {

Result<std::uint64_t> NextSessionNumber(const std::string& path) {
  std::uint64_t last = 0;
  auto content = ReadFile(path);
  if (content) {
    const char* end = content->data() + content->size();
    if (std::from_chars(content->data(), end, last).ec != std::errc())
      return Error{EBADMSG,
                   "the session number in '" + path + "' can't be read; remove the file to begin anew"};
  } else if (content.error().code != ENOENT) {
    return std::move(content).error();
  }
  // The clock keeps the numbers growing if the state folder was lost; the file, if the clock was set back.
  const std::uint64_t next = std::max(last + 1, static_cast<std::uint64_t>(Now().nanoseconds));
  HAWSER_TRY(WriteFileAtomically(path, std::to_string(next) + "\n"));
  return next;
}

}  // namespace hawser
