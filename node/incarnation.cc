#include "node/incarnation.h"

#include <fmt/format.h>

#include <charconv>

#include "common/base/files.h"
#include "common/base/random.h"

namespace hawser {

Result<std::uint64_t> OwnIncarnation(const std::string& path) {
  HAWSER_ASSIGN(const auto content, ReadFileIfThere(path));
  if (!content) {
    const std::uint64_t made = RandomNumber();
    HAWSER_TRY(WriteFileAtomically(path, fmt::format("{:016x}\n", made)));
    return made;
  }
  std::uint64_t number = 0;
  const char* begin = content->data();
  if (std::from_chars(begin, begin + content->size(), number, 16).ec != std::errc() || number == 0)
    return Error{EBADMSG, "the number in '" + path +
                              "' that tells this node's state folder from others can't be read; remove the "
                              "file: the node then counts as a new one"};
  return number;
}

}  // namespace hawser
