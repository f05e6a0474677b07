// What people and programs see: tables, JSON, errors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/json.h"
#include "cli/session.h"

namespace hawser::cli {

// One line on stderr: "hawser: what; advice".
void PrintError(const std::string& what, const std::string& advice = "");

// The answer is no: as an error on stderr, and with --json as "error" of the object on stdout.
Exit SayNo(const Session& session, Json json, const std::string& what, const std::string& advice);

// JSON on stdout, indented; as one line with PrintJsonLine. Bytes that aren't UTF-8 are replaced (see Utf8).
void PrintJson(const Json& json);
void PrintJsonLine(const Json& json);

// `bytes` if they are UTF-8, else with every byte that isn't printable ASCII as \xNN and backslashes doubled.
std::string Utf8(std::string_view bytes);

// What is printed on a terminal may hold no control characters: each is replaced by \xNN.
std::string Printable(std::string_view text);

enum class Colour { kPlain, kGood, kWarning, kBad, kFaint };

// Whether stdout is a terminal that shows colours (and NO_COLOR isn't set).
bool StdoutHasColour();

struct Cell {
  std::string text;
  Colour colour = Colour::kPlain;
};

// Columns as wide as their widest cell, two spaces apart.
class Table {
 public:
  struct Column {
    std::string title;
    bool right = false;  // numbers
  };

  Table(std::vector<Column> columns, bool with_colour);
  void Add(std::vector<Cell> row);  // one cell a column
  std::string Text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
  bool with_colour_;
};

// 1234567 as "1,234,567"; bytes as "12.3 MiB"; seconds as "0.2 s", "3 min", "2 h".
std::string Grouped(std::uint64_t number);
// The same of a number that nobody may know: then "?".
std::string Count(const std::optional<std::uint64_t>& number);
// "1 record", "1,234 records".
std::string Counted(std::uint64_t count, const std::string& what);
std::string HumanBytes(std::uint64_t bytes);
std::string HumanSeconds(double seconds);

}  // namespace hawser::cli
