// One line on a terminal that says what is waited for, in place of itself. On stderr, so that what the
// command prints in the end stands alone on stdout.
#pragma once

#include <string>

namespace hawser::cli {

class ProgressLine {
 public:
  // Shows nothing if stderr is no terminal.
  ProgressLine();
  ~ProgressLine() { Clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // What is longer than the terminal is wide is cut off.
  void Show(const std::string& text);
  void Clear();

 private:
  const bool terminal_;
  std::string shown_;
};

}  // namespace hawser::cli
