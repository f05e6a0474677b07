#include "common/config/yaml_advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace hawser {
namespace {

// Complaints that are about their own line and need but other words.
struct Wording {
  std::string_view complaint;  // how it begins
  const char* what;
};
constexpr std::array<Wording, 9> kWordings{{
    {"the referenced anchor", "anchors (&name) and aliases (*name) are not supported; write the value out"},
    {"anchor not found", "a value can't begin with '&'; put it into quotes"},
    {"alias not found", "a value can't begin with '*'; put it into quotes"},
    {"unknown escape",
     "in double quotes a backslash begins an escape, and this one is unknown; use single quotes"},
    {"unknown token", "a value can't begin with '@', '%' or a backtick; put it into quotes"},
    {"unexpected character in block",
     "behind '|' or '>' nothing else may stand in the line; write the text below it, or put it into quotes"},
    {"bad YAML version", "the %YAML line is not one of YAML 1.2; remove it"},
    {"YAML major version", "the %YAML line is not one of YAML 1.2; remove it"},
    {"illegal tab", "the line begins with a tab; YAML takes spaces only, replace it by spaces"},
}};

bool IsItem(const YamlLine& line) { return line.text.starts_with("- ") || line.text == "-"; }

// Wrong in `line` by itself; empty if nothing is.
std::string Slip(const YamlLine& line) {
  if (line.keys > 1 && !IsItem(line))
    return "two ': ' stand in this line; put the value into quotes, or what belongs below into lines of its "
           "own";
  if (line.keys > 0 || IsItem(line)) return "";
  if (line.text.starts_with("//")) return "'//' begins no comment; write '#'";
  if (line.glued) return fmt::format("'{}' has no blank behind the colon; write 'key: value'", line.text);
  return fmt::format("'{}' has no colon; write 'key: value', or 'key:' with more lines below", line.text);
}

// Wrong in how `line` is indented under the ones before it, the last of which is `*(line - 1)`.
std::string WrongIndent(const std::vector<YamlLine>& lines, std::size_t at) {
  const YamlLine& line = lines[at];
  const YamlLine& before = lines[at - 1];
  if (line.indent > before.indent) {
    if (!before.ends_with_value) return "";
    return fmt::format(
        "the line is indented deeper ({} spaces) than line {} ({}), which has its value already; "
        "indent both alike",
        line.indent, before.number, before.indent);
  }
  const auto level = std::find_if(lines.rend() - static_cast<std::ptrdiff_t>(at), lines.rend(),
                                  [&](const YamlLine& above) { return above.indent <= line.indent; });
  if (level == lines.rend() || level->indent != line.indent) {
    return fmt::format(
        "the line is indented by {}, like no line above that it can belong to; indent it like its "
        "neighbours",
        line.indent);
  }
  if (IsItem(line) != IsItem(*level)) {
    return fmt::format(
        "'{}' stands beside line {}: one is an item of a list ('- '), the other a key; write all "
        "alike",
        line.text, level->number);
  }
  return "";
}

// What is odd in the line where the parser gave up, or in the one before it.
std::optional<YamlFault> SlipNear(const std::vector<YamlLine>& lines, int line) {
  const auto behind =
      std::find_if(lines.begin(), lines.end(), [&](const YamlLine& seen) { return seen.number > line; });
  if (behind == lines.begin()) return std::nullopt;
  const auto at = static_cast<std::size_t>(behind - lines.begin()) - 1;
  if (at > 0) {
    if (const auto what = Slip(lines[at - 1]); !what.empty()) return YamlFault{lines[at - 1].number, what};
  }
  if (const auto what = Slip(lines[at]); !what.empty()) return YamlFault{lines[at].number, what};
  if (at == 0) return std::nullopt;
  if (const auto what = WrongIndent(lines, at); !what.empty()) return YamlFault{lines[at].number, what};
  return std::nullopt;
}

}  // namespace

YamlFault AdviseOn(const std::string& text, int line, const std::string& complaint) {
  const YamlOutline outline = OutlineOf(text);
  if (outline.open_quote) return *outline.open_quote;
  if (outline.structure) return *outline.structure;
  for (const Wording& wording : kWordings) {
    if (complaint.starts_with(wording.complaint)) return {line, wording.what};
  }
  for (const YamlOddity& odd : outline.oddities) {
    if (odd.noticed == line) return odd.fault;
  }
  if (auto slip = SlipNear(outline.lines, line)) return *std::move(slip);
  return {line, complaint + "; correct the YAML there (often it is the indentation)"};
}

}  // namespace hawser
