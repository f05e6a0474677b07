// Child processes of tests. None outlives the test: each is killed with its parent.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace hawser::test {

// The longest that anything in a test is waited for.
inline constexpr auto kPatience = std::chrono::seconds(60);

struct ProcessOptions {
  std::vector<std::string> command;                // the first is looked up in PATH
  std::string output;                              // file that stdout and stderr are appended to
  std::string folder;                              // to run in; empty: here
  std::map<std::string, std::string> environment;  // besides the test's own
};

// A running child. Not thread safe. Killed and reaped when destroyed.
class Process {
 public:
  static Result<Process> Start(const ProcessOptions& options);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  pid_t pid() const { return pid_; }
  // False once it has ended.
  bool running();
  // SIGTERM, SIGKILL, SIGSTOP, SIGCONT, ...; to it alone.
  void Signal(int signal) const;
  // SIGSTOP, and until each of its threads stands still (or it has ended): after kill() alone one may still
  // answer somebody.
  void Freeze() const;
  // Its exit code, or 128 and the signal's number. ETIMEDOUT if it doesn't end within `patience`.
  Result<int> Wait(std::chrono::milliseconds patience = kPatience);
  // Memory that is resident, in bytes. 0 when it has ended.
  std::uint64_t ResidentBytes() const;

 private:
  explicit Process(pid_t pid) : pid_(pid) {}

  pid_t pid_ = -1;
  std::optional<int> status_;  // as of waitpid
};

struct CommandResult {
  int exit = -1;
  std::string output;  // stdout and stderr
};

// Runs a command to its end. ETIMEDOUT (with what it said so far) if it takes longer than `patience`.
Result<CommandResult> RunCommand(const std::vector<std::string>& command, const std::string& folder = "",
                                 std::chrono::milliseconds patience = kPatience);

// As RunCommand; an exit code other than 0 is an error that quotes the output.
Status RunSuccessfully(const std::vector<std::string>& command, const std::string& folder = "",
                       std::chrono::milliseconds patience = kPatience);

// Asks `condition` every few milliseconds until it is true; false when `patience` is over.
template <class Condition>
bool WaitUntil(Condition condition, std::chrono::milliseconds patience = kPatience);

void PauseBriefly();  // between two questions

template <class Condition>
bool WaitUntil(Condition condition, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    PauseBriefly();
  }
  return true;
}

}  // namespace hawser::test
