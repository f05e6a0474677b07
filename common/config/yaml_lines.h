// A YAML text as a person sees it: lines with an indentation, brackets and quotes that open and close. It is
// no parser: it looks for the slips that a parser notices late, in another line, or never.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace hawser {

struct YamlFault {
  int line = 1;      // counts from 1
  std::string what;  // "what is wrong; what to do"
};

// One line with something in it besides blanks and a comment. Not in the list: what lies in brackets or
// quotes that an earlier line has opened, and the text below a '|' or '>'.
struct YamlLine {
  int number = 1;
  std::size_t indent = 0;
  std::string text;              // without indentation and comment
  std::size_t keys = 0;          // how often a ': ' stands in it, brackets and quotes left out
  bool glued = false;            // a ':' with no blank behind it stands in it, brackets and quotes left out
  bool ends_with_value = false;  // nothing can be indented below it
};

// A fault that a parser notices in line `noticed`.
struct YamlOddity {
  int noticed = 1;
  YamlFault fault;
};

struct YamlOutline {
  std::vector<YamlLine> lines;
  // Wrong whatever else holds: a quote that nothing closes.
  std::optional<YamlFault> open_quote;
  // The likeliest cause if the text is no YAML: a tab, a bracket that nothing closes or that another kind
  // closes.
  std::optional<YamlFault> structure;
  // What is odd in one line, and the cause if a parser gives up there: a bracket that closes nothing, text
  // behind a closing quote, a quote that another line closes, a missing comma.
  std::vector<YamlOddity> oddities;
};

YamlOutline OutlineOf(const std::string& text);

}  // namespace hawser
