#include "tests/support/hawser_answers.h"

#include <deque>
#include <fstream>

namespace hawser::test {

Result<nlohmann::json> StatusIn(const CommandResult& result) {
  auto status = nlohmann::json::parse(result.output, nullptr, /*allow_exceptions=*/false);
  if (result.exit != 0 || !status.is_object()) return Error{EIO, "hawser status: " + result.output};
  return status;
}

Status ReachedIn(const CommandResult& result) {
  if (result.exit == 0) return {};
  return Error{ETIMEDOUT, "hawser wait ended with " + std::to_string(result.exit) + ": " + result.output};
}

std::string TailOf(const std::string& log, std::size_t lines) {
  std::deque<std::string> tail;
  std::ifstream file(log);
  for (std::string line; std::getline(file, line);) {
    tail.push_back(line);
    if (tail.size() > lines) tail.pop_front();
  }
  std::string text;
  for (const std::string& line : tail) text += line + "\n";
  return text;
}

}  // namespace hawser::test
