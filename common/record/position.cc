#include "common/record/position.h"

#include <fmt/format.h>

#include "common/base/random.h"

namespace hawser {

JournalId JournalId::Random() {
  JournalId id;
  FillRandom(id.bytes);
  return id;
}

std::string JournalId::Hex() const { return Digest{bytes}.Hex(); }

std::string Position::Text() const { return fmt::format("{} (group {})", sequence.value, group.value); }

}  // namespace hawser
