#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace hawser::cli {
namespace {

// Length of the UTF-8 sequence that `bytes` begins with; 0 if it is none (overlong forms and surrogates too).
std::size_t Utf8Length(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || bytes.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && at(1) < 0xa0) || (first == 0xf0 && at(1) < 0x90);
  const bool beyond = (first == 0xed && at(1) > 0x9f) || (first == 0xf4 && at(1) > 0x8f);
  return overlong || beyond ? 0 : length;
}

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = Utf8Length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string Hex(char byte) { return fmt::format("\\x{:02x}", static_cast<unsigned char>(byte)); }
bool IsControl(char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f; }

// Characters, not bytes: continuation bytes take no room on the screen.
std::size_t Width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

const char* Escape(Colour colour) {
  switch (colour) {
    case Colour::kPlain:
      return "";
    case Colour::kGood:
      return "\033[32m";
    case Colour::kWarning:
      return "\033[33m";
    case Colour::kBad:
      return "\033[1;31m";
    case Colour::kFaint:
      return "\033[2m";
  }
  return "";
}

std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

void PrintError(const std::string& what, const std::string& advice) {
  const char* const joint = advice.empty() ? "" : what.ends_with('?') ? " " : "; ";
  const std::string line = fmt::format("hawser: {}{}{}\n", Printable(what), joint, advice);
  std::fflush(stdout);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

Exit SayNo(const Session& session, Json json, const std::string& what, const std::string& advice) {
  PrintError(what, advice);
  if (session.json) {
    json["error"] = what;
    PrintJson(json);
  }
  return Exit::kNo;
}

void PrintJson(const Json& json) {
  fmt::print("{}\n", Dump(json, 2));
  std::fflush(stdout);
}

void PrintJsonLine(const Json& json) { fmt::print("{}\n", Dump(json, -1)); }

std::string Utf8(std::string_view bytes) {
  if (IsUtf8(bytes)) return std::string(bytes);
  std::string text;
  for (const char c : bytes) {
    if (c == '\\') {
      text += "\\\\";
    } else if (c >= 0x20 && c < 0x7f) {
      text += c;
    } else {
      text += Hex(c);
    }
  }
  return text;
}

std::string Printable(std::string_view text) {
  std::string printable;
  for (const char c : text) {
    if (IsControl(c)) {
      printable += Hex(c);
    } else {
      printable += c;
    }
  }
  return printable;
}

bool StdoutHasColour() {
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

Table::Table(std::vector<Column> columns, bool with_colour)
    : columns_(std::move(columns)), with_colour_(with_colour) {}

void Table::Add(std::vector<Cell> row) {
  row.resize(columns_.size());
  rows_.push_back(std::move(row));
}

std::string Table::Text() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    widths.push_back(Width(columns_[i].title));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], Width(row[i].text));
  }
  const auto line = [&](const std::vector<Cell>& row) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - Width(row[i].text), ' ');
      const bool coloured = with_colour_ && row[i].colour != Colour::kPlain && !row[i].text.empty();
      const std::string shown = coloured ? Escape(row[i].colour) + row[i].text + "\033[0m" : row[i].text;
      if (i > 0) text += "  ";
      text += columns_[i].right ? padding + shown : shown + padding;
    }
    while (text.ends_with(' ')) text.pop_back();
    return text + "\n";
  };
  std::vector<Cell> titles;
  for (const auto& column : columns_) titles.push_back({column.title, Colour::kFaint});
  std::string text = line(titles);
  for (const auto& row : rows_) text += line(row);
  return text;
}

std::string Grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string Counted(std::uint64_t count, const std::string& what) {
  return Grouped(count) + " " + what + (count == 1 ? "" : "s");
}

std::string Count(const std::optional<std::uint64_t>& number) { return number ? Grouped(*number) : "?"; }

std::string HumanBytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < std::size(kUnits); ++unit) amount /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

std::string HumanSeconds(double seconds) {
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  if (seconds < 2 * 3600) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 2 * 86'400) return fmt::format("{:.1f} h", seconds / 3600);
  return fmt::format("{:.1f} d", seconds / 86'400);
}

}  // namespace hawser::cli
