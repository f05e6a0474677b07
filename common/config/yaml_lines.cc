#include "common/config/yaml_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace hawser {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// The part of `text` before its comment, without blanks at the end, if no quote stands before it.
std::string_view TrimRight(std::string_view text) {
  while (!text.empty() && (IsBlank(text.back()) || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

class Scanner {
 public:
  YamlOutline Scan(std::string_view text) {
    for (int number = 1; !text.empty(); ++number) {
      const auto end = std::min(text.find('\n'), text.size());
      ScanLine(number, TrimRight(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (quote_ != 0) {
      outline_.open_quote = YamlFault{
          quote_line_, fmt::format("the quote ({}) that is opened here is never closed; close it", quote_)};
    }
    if (!brackets_.empty()) Blame(brackets_.front());
    return std::move(outline_);
  }

 private:
  struct Bracket {
    char open;
    int line;
    bool key_seen = false;  // since the last comma

    char close() const { return open == '{' ? '}' : ']'; }
  };

  void ScanLine(int number, std::string_view line) {
    number_ = number;
    if (quote_ != 0 || !brackets_.empty()) {
      expects_ = quote_ == 0 && expects_;
      Walk(line, nullptr);
      return;
    }
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    const bool is_empty = line.find_first_not_of(" \t") == std::string_view::npos;
    if (in_block_text_ && (is_empty || indent > block_indent_)) return;
    in_block_text_ = false;
    LookAtIndentation(line.substr(indent));
    if (is_empty || line[indent] == '#') return;
    if (indent == 0 && (line.starts_with("---") || line.starts_with("...") || line[0] == '%')) {
      continues_ = false;
      return;
    }
    YamlLine seen{.number = number, .indent = indent, .text = std::string(line.substr(indent))};
    const bool goes_on = continues_ && indent > value_indent_;
    expects_ = !goes_on;
    Walk(line.substr(indent), &seen);
    seen.text = TrimRight(seen.text);
    seen.ends_with_value = !seen.text.empty() && seen.text.back() != ':' && seen.text != "-";
    continues_ = plain_;
    if (!goes_on) value_indent_ = indent;
    outline_.lines.push_back(std::move(seen));
  }

  // `rest` is the line behind its spaces.
  void LookAtIndentation(std::string_view rest) {
    if (rest.starts_with('\t')) {
      Suspect(number_, "the line is indented with a tab; YAML takes spaces only, replace it by spaces");
    }
    if (rest.starts_with("\u00a0")) {
      Suspect(number_, "the line is indented with a no-break space; replace it by plain spaces");
    }
  }

  // One line, or the rest of one, outside of block text. `line` is filled if no bracket or quote was open.
  void Walk(std::string_view text, YamlLine* line) {
    plain_ = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      const char next = i + 1 < text.size() ? text[i + 1] : ' ';
      if (quote_ != 0) {
        i += InQuote(c, next);
        continue;
      }
      if (IsBlank(c)) continue;
      if (c == '#' && (i == 0 || IsBlank(text[i - 1]))) {
        if (line != nullptr) line->text.resize(i);
        return;
      }
      if (after_quote_) BehindQuote(c);
      if (BeginsBlockText(text, i, line)) return;
      Take(c, next, line);
    }
  }

  // How many characters besides `c` are done.
  std::size_t InQuote(char c, char next) {
    if (quote_ == '"' && c == '\\') return 1;
    if (c != quote_) return 0;
    if (quote_ == '\'' && next == '\'') return 1;
    if (number_ != quote_line_) {
      Odd(quote_line_, number_,
          fmt::format("the quote ({}) that is opened here is closed only in line {}; close it in its line",
                      quote_, number_));
    }
    quote_ = 0;
    after_quote_ = true;
    return 0;
  }

  void BehindQuote(char c) {
    after_quote_ = false;
    if (c == ':' || c == '#' || (!brackets_.empty() && (c == ',' || c == '}' || c == ']'))) return;
    Odd(number_, number_, "more text stands behind a closing quote; put all of the value into the quotes");
  }

  // A '|' or '>' as a value, with nothing but its own signs behind it.
  bool BeginsBlockText(std::string_view text, std::size_t i, const YamlLine* line) {
    if (!expects_ || line == nullptr || (text[i] != '|' && text[i] != '>')) return false;
    if (text.find_first_not_of("+-0123456789 \t", i + 1) != std::string_view::npos) return false;
    in_block_text_ = true;
    block_indent_ = line->indent;
    return true;
  }

  void Take(char c, char next, YamlLine* line) {
    const bool in_brackets = !brackets_.empty();
    if (expects_ && (c == '"' || c == '\'')) {
      quote_ = c;
      quote_line_ = number_;
      expects_ = false;
    } else if ((c == '{' || c == '[') && (expects_ || in_brackets)) {
      brackets_.push_back({c, number_});
      expects_ = true;
    } else if (c == '}' || c == ']') {
      Close(c);
    } else if (in_brackets && c == ',') {
      brackets_.back().key_seen = false;
      expects_ = true;
    } else if (c == ':' && (IsBlank(next) || (in_brackets && std::string_view("{}[],").find(next) != npos))) {
      TakeKey(line);
    } else {
      if (c == ':' && !in_brackets && line != nullptr) line->glued = true;
      const bool is_dash = expects_ && c == '-' && IsBlank(next);
      expects_ = is_dash;
      plain_ = !is_dash;
    }
  }

  void TakeKey(YamlLine* line) {
    expects_ = true;
    plain_ = false;
    if (brackets_.empty()) {
      if (line != nullptr) ++line->keys;
    } else if (std::exchange(brackets_.back().key_seen, true)) {
      Odd(number_, number_, "a comma is missing; write { key: value, key: value }");
    }
  }

  void Close(char c) {
    expects_ = plain_ = false;
    if (brackets_.empty()) {
      Odd(number_, number_,
          fmt::format("the '{}' closes nothing; remove it, or add the '{}' that it belongs to", c,
                      c == '}' ? '{' : '['));
      return;
    }
    const Bracket opened = brackets_.back();
    brackets_.pop_back();
    if (opened.close() == c) return;
    Suspect(number_,
            fmt::format("the '{}' closes a '{}' ({}); write '{}', or correct the other one", c, opened.open,
                        opened.line == number_ ? "of the same line" : fmt::format("of line {}", opened.line),
                        opened.close()));
  }

  void Blame(const Bracket& bracket) {
    Suspect(bracket.line, fmt::format("the '{}' that is opened here is never closed; add the '{}'",
                                      bracket.open, bracket.close()));
  }

  void Suspect(int line, std::string what) {
    if (!outline_.structure) outline_.structure = YamlFault{line, std::move(what)};
  }

  void Odd(int line, int noticed, std::string what) {
    outline_.oddities.push_back({noticed, {line, std::move(what)}});
  }

  static constexpr auto npos = std::string_view::npos;

  YamlOutline outline_;
  int number_ = 1;
  std::vector<Bracket> brackets_;
  char quote_ = 0;  // the one that is open; 0: none
  int quote_line_ = 1;
  bool after_quote_ = false;
  bool expects_ = true;     // a quote or bracket here begins a value; elsewhere it is text
  bool plain_ = false;      // the line ends with a value that is neither quoted nor in brackets...
  bool continues_ = false;  // ...and the next may go on with it
  std::size_t value_indent_ = 0;
  bool in_block_text_ = false;
  std::size_t block_indent_ = 0;
};

}  // namespace

YamlOutline OutlineOf(const std::string& text) { return Scanner().Scan(text); }

}  // namespace hawser
