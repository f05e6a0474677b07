// A whole consistency group of real processes on this machine: a relay and the nodes alpha (primary of docs),
// bravo (primary of mail) and charlie (secondary of both), with real mounts in a folder of its own.
//
// Not thread safe. Everything is stopped, detached and removed when it is destroyed; what a killed test left
// is cleaned up by the next one.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "tests/support/daemons.h"
#include "tests/support/group_config.h"
#include "tests/support/hawser_program.h"
#include "tests/support/temp_dir.h"

namespace hawser::test {

struct ClusterOptions {
  std::map<std::string, std::string> volume_keys;   // more keys of each volume: {"on_relay_loss", "fail"}
  std::map<std::string, std::string> relay_keys;    // more keys of the relay
  std::map<std::string, std::string> replica_keys;  // more keys of each node's volumes
  std::string more;                                 // lines between the volumes and the nodes
  std::vector<std::string> prefix;  // what the processes are run with: {"prlimit", "--nofile=1024"}
};

class Cluster {
 public:
  // Writes the config; starts nothing.
  explicit Cluster(ClusterOptions options = {});
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  ~Cluster();

  // Where things are.
  const std::string& folder() const { return folder_.path(); }
  std::string config() const { return folder() + "/hawser.yaml"; }
  std::string journal() const { return folder() + "/relay"; }
  std::string Mount(const std::string& node, const std::string& volume) const;
  std::string Store(const std::string& node, const std::string& volume) const;
  std::string State(const std::string& node) const;
  std::string Log(const std::string& process) const { return daemons_.Log(process); }

  // Starts the relay and all nodes and waits until each is ready.
  Status Start();
  // Starts one: "relay" or a node's name. An error that quotes its log if it isn't ready in time. `more`:
  // what is to be said on its command line besides.
  Status Start(const std::string& process, const std::vector<std::string>& more = {});
  // The halves of that: it is running, but it may be waiting for something.
  Status Launch(const std::string& process, const std::vector<std::string>& more = {});
  Status AwaitReady(const std::string& process) { return daemons_.AwaitReady(process); }
  // SIGTERM; an error if it doesn't end with exit code 0.
  Status Stop(const std::string& process) { return daemons_.Stop(process); }
  // Lets all finish: nodes first.
  Status StopAll();
  // kill -9, and what a crash leaves is left.
  void Kill(const std::string& process);
  // SIGSTOP and SIGCONT.
  void Freeze(const std::string& process) { daemons_.Freeze(process); }
  void Thaw(const std::string& process) { daemons_.Thaw(process); }
  Process& Running(const std::string& process) { return daemons_.Get(process); }

  // `hawser ARGUMENTS -c CONFIG`, to its end.
  Result<CommandResult> Hawser(std::vector<std::string> arguments,
                               std::chrono::milliseconds patience = kPatience) const;
  Result<nlohmann::json> GetStatus() const { return program_.Status(); }
  // The state of a node in the status: "live", "diverged", ...; "?" if there is no answer.
  std::string StateOf(const std::string& node) const;

  // Until all that was acknowledged is applied everywhere.
  Status WaitForSecondaries(std::chrono::milliseconds patience = kPatience) const;
  // Waits for the secondaries, then compares stores and mounts of each volume. The error names what differs.
  Status CompareAllTrees() const;

 private:
  GroupConfig ConfigFor(const ClusterOptions& options) const;
  Status CompareVolume(const std::string& volume) const;

  TempDir folder_;
  GroupConfig config_;
  HawserProgram program_;
  Daemons daemons_;  // before the folder goes, they have ended
};

}  // namespace hawser::test
