#include "common/config/units.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <string>
#include <vector>

#include "common/base/bytes.h"

namespace hawser {
namespace {

struct Unit {
  const char* name;
  std::uint64_t factor;
};

struct Measure {
  const char* what;  // "a size"
  const char* example;
  const char* usual;  // the unit to propose to somebody who wrote none
  std::vector<Unit> units;
  std::uint64_t max;
};

Result<std::uint64_t> Parse(std::string_view text, const Measure& measure) {
  const auto wrong = [&](const std::string& why) { return Error{EINVAL, fmt::format("'{}' {}", text, why)}; };

  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc::result_out_of_range) return wrong("is too large; write a smaller one");
  if (failure != std::errc()) {
    return wrong(
        fmt::format("is not {}; write a whole number and a unit, like {}", measure.what, measure.example));
  }
  std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (name.starts_with(' ')) name.remove_prefix(1);
  if (name.empty()) return wrong(fmt::format("has no unit; write for example {}{}", number, measure.usual));

  std::vector<std::string_view> names;
  for (const auto& unit : measure.units) {
    if (name == unit.name) {
      if (number > measure.max / unit.factor) return wrong("is too large; write a smaller one");
      return number * unit.factor;
    }
    names.emplace_back(unit.name);
  }
  return wrong(fmt::format("is not {}; write a whole number and one of the units {}, like {}", measure.what,
                           fmt::join(names, ", "), measure.example));
}

}  // namespace

Result<std::uint64_t> ParseSize(std::string_view text) {
  static const Measure kSizes{"a size",
                              "10GiB",
                              "GiB",
                              {{"B", 1}, {"KiB", kKiB}, {"MiB", kMiB}, {"GiB", kGiB}, {"TiB", 1024 * kGiB}},
                              std::numeric_limits<std::int64_t>::max()};
  return Parse(text, kSizes);
}

Result<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  // A century: far enough, and adding it to any clock's now doesn't overflow.
  constexpr std::uint64_t kMax = std::uint64_t{100} * 365 * 86'400'000;
  static const Measure kDurations{
      "a duration",
      "5s",
      "s",
      {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}},
      kMax};
  HAWSER_ASSIGN(const auto count, Parse(text, kDurations));
  return std::chrono::milliseconds(count);
}

}  // namespace hawser
