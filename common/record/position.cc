#include "common/record/position.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cstdlib>

namespace hawser {

JournalId JournalId::Random() {
  JournalId id;
  if (::getrandom(id.bytes.data(), id.bytes.size(), 0) != static_cast<ssize_t>(id.bytes.size())) std::abort();
  return id;
}

std::string JournalId::Hex() const { return Digest{bytes}.Hex(); }

std::string Position::Text() const { return fmt::format("{} (group {})", sequence.value, group.value); }

}  // namespace hawser
