// A hawser process that this one started: `hawser up`'s relay and nodes.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace hawser::cli {

class Child {
 public:
  // Runs this same executable with `arguments`, with $NOTIFY_SOCKET set to `notify` and no signals blocked,
  // in a process group of its own (Ctrl-C reaches the parent only, which stops the children in its order).
  // What it prints comes through Print(). The child gets SIGTERM when the calling thread ends, however it
  // ends: call from the main thread. `name` is for messages.
  static Result<Child> Start(std::string name, const std::vector<std::string>& arguments,
                             const std::string& notify);

  const std::string& name() const { return name_; }
  pid_t pid() const { return pid_; }

  void Terminate() const;  // SIGTERM, if it still runs

  // Readable when it has printed something; -1: it never will again.
  int output() const { return output_.get(); }
  // Prints the lines that it has printed, to stderr: those of its log as they are, others as if it had logged
  // them. Doesn't wait.
  void Print();

  // Takes note if it has ended. Returns true only when this call found out.
  bool Reap();
  bool running() const { return !status_.has_value(); }
  // Ended with exit code 0; or was stopped before it was ready, when it may not yet handle SIGTERM.
  bool ended_well() const;
  // "ended with exit code 3", "was killed by SIGKILL"
  std::string Ending() const;

  bool ready = false;

 private:
  Child(std::string name, pid_t pid, UniqueFd output)
      : name_(std::move(name)), pid_(pid), output_(std::move(output)) {}

  void PrintLine(const std::string& line) const;

  std::string name_;
  pid_t pid_;
  UniqueFd output_;
  std::string unfinished_;     // a line that has no end yet
  std::optional<int> status_;  // as waitpid gives it
};

}  // namespace hawser::cli
