// The processes of a group that a test runs, by name: "relay" and the nodes'. Their logs, and the mounts that
// they make, are below one folder.
//
// Not thread safe. When it is destroyed all are ended, nodes first, and their mounts detached.
#pragma once

#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "tests/support/process.h"
#include "tests/support/ready_notice.h"

namespace hawser::test {

class Daemons {
 public:
  explicit Daemons(std::string folder) : folder_(std::move(folder)) {}
  Daemons(const Daemons&) = delete;
  Daemons& operator=(const Daemons&) = delete;
  ~Daemons();

  // Starts one, in place of what has run under its name, and doesn't wait.
  Status Launch(const std::string& name, const std::vector<std::string>& command,
                std::map<std::string, std::string> environment = {});
  // Until it says that it is ready. An error that quotes its log if that isn't in time.
  Status AwaitReady(const std::string& name);

  std::vector<std::string> names() const;  // of what has been started, whether it runs or not
  bool IsRunning(const std::string& name);
  Process& Get(const std::string& name) { return processes_.at(name); }
  const Process& Get(const std::string& name) const { return processes_.at(name); }
  // SIGTERM, or another signal that ends it in order; an error that quotes its log unless it ends in time,
  // with exit code 0.
  Status Stop(const std::string& name, int signal = SIGTERM, std::chrono::milliseconds patience = kPatience);
  // kill -9; false if that doesn't end it.
  bool Kill(const std::string& name);
  void Freeze(const std::string& name) { Get(name).Freeze(); }
  void Thaw(const std::string& name) { Get(name).Signal(SIGCONT); }

  std::string Log(const std::string& name) const { return folder_ + "/" + name + ".log"; }
  // The last lines of its log; empty if there is none.
  std::string TailOfLog(const std::string& name, std::size_t lines = 40) const;

  // All are ended, kill -9, and their mounts detached.
  void Abandon();

 private:
  const std::string folder_;
  std::map<std::string, Process> processes_;
  std::map<std::string, ReadyNotice> notices_;
  std::uint64_t launches_ = 0;
};

}  // namespace hawser::test
