// A consistency group that is made to suffer: a relay, alpha (primary of docs), bravo (primary of mail),
// charlie and delta (secondaries of both) as processes with real mounts. Each node reaches the relay over
// links of its own; folders can lie on small disks of their own. The processes are hawser-crashable: hawser
// with named crash points.
//
// Not thread safe. Everything is ended, detached and removed when it is destroyed.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "tests/crash/network.h"
#include "tests/crash/proxy.h"
#include "tests/support/daemons.h"
#include "tests/support/group_config.h"
#include "tests/support/hawser_program.h"
#include "tests/support/small_disk.h"
#include "tests/support/temp_dir.h"

namespace hawser::test {

inline const std::vector<std::string> kSecondaries = {"charlie", "delta"};
inline const std::vector<std::string> kNodes = {"alpha", "bravo", "charlie", "delta"};
inline constexpr const char* kTwin = "twin";
inline const std::vector<std::string> kProcesses = {"relay", "alpha", "bravo", "charlie", "delta"};

enum class Port { kWrite, kStream, kControl };
inline constexpr Port kPorts[] = {Port::kWrite, Port::kStream, Port::kControl};
const char* NameOf(Port port);

struct GroupOptions {
  // Folders on disks of their own, with their sizes: "relay", "alpha/docs" (a store), "charlie/state".
  std::map<std::string, std::uint64_t> disks;
  std::set<std::string> xfs = {};                 // those of them that are no ext4: 300 MiB at least
  std::set<std::string> small_blocks = {};        // ext4 on which a directory is full with some 20,000 names
  std::map<std::string, std::string> relay_keys;  // more keys of the relay
  bool namespaces =
      false;  // each process on a machine of its own (network.h), without the links of the proxy
};

class Group {
 public:
  // Writes the config; starts nothing. An error if a disk cannot be made.
  static Result<std::unique_ptr<Group>> Make(const GroupOptions& options = {});

  const std::string& folder() const { return folder_.path(); }
  const std::string& name() const { return config_.group; }
  std::string Mount(const std::string& node, const std::string& volume) const;
  std::string Store(const std::string& node, const std::string& volume) const;
  std::string State(const std::string& node) const;
  std::string Journal() const;
  std::string Log(const std::string& process) const { return daemons_.Log(process); }
  bool AnyDiskIsFull() const;
  SmallDisk& disk(const std::string& name) { return *disks_.at(name); }

  // Starts what isn't running, all at once, and waits until each is ready: what a service manager does.
  Status Start();
  // Starts one and doesn't wait. `crash_at` as HAWSER_CRASH_AT (crash_point.cc).
  Status Launch(const std::string& process, const std::string& crash_at = "");
  // Another machine with empty folders of its own that serves `node`, under the name kTwin; `more`: arguments
  // of its `hawser mount`. As Launch; or, for one that is to be refused, what it said.
  Status LaunchTwin(const std::string& node, const std::vector<std::string>& more);
  Result<CommandResult> RunTwin(const std::string& node, const std::string& group);
  // A node that is to be refused, to its end.
  Result<CommandResult> RunNode(const std::string& node) { return Program(node).Run({"mount", node}); }

  // An error that quotes its log if it isn't ready in time.
  Status AwaitReady(const std::string& process) { return daemons_.AwaitReady(process); }
  bool IsRunning(const std::string& process) { return daemons_.IsRunning(process); }
  pid_t PidOf(const std::string& process) const { return daemons_.Get(process).pid(); }
  void Kill(const std::string& process) { static_cast<void>(daemons_.Kill(process)); }
  Status Stop(const std::string& process, int signal = SIGTERM,
              std::chrono::milliseconds patience = kPatience) {
    return daemons_.Stop(process, signal, patience);
  }
  void Freeze(const std::string& process) { daemons_.Freeze(process); }
  void Thaw(const std::string& process) { daemons_.Thaw(process); }

  void SetLink(const std::string& node, Port port, Flow flow) {
    proxy_.Set(links_.at(node).at(port), flow);
    if (flow == Flow::kOpen)
      disturbed_links_.erase({node, port});
    else
      disturbed_links_.insert({node, port});
  }
  bool all_links_open() const { return disturbed_links_.empty(); }
  void ResetLink(const std::string& node, Port port) { proxy_.Reset(links_.at(node).at(port)); }

  Network& network() { return *network_; }

  // `hawser ARGUMENTS`, straight to the relay.
  Result<CommandResult> Hawser(std::vector<std::string> arguments,
                               std::chrono::milliseconds patience = kPatience) const {
    return Program("relay").Run(std::move(arguments), patience);
  }
  Result<nlohmann::json> GetStatus() const { return Program("relay").Status(); }
  // state and problem of a node as the status has them: "stalled: replay waits at ..."; "?" if there is no
  // answer.
  std::string StateOf(const std::string& process) const;
  static std::string StateIn(const nlohmann::json& status, const std::string& process);
  // Until all that was acknowledged is applied on all secondaries.
  Status AwaitCaughtUp(std::chrono::milliseconds patience = kPatience) const {
    return Program("relay").AwaitCaughtUp(patience);
  }
  // Each volume's stores; the error names what differs.
  Status CompareStores() const;
  std::string TailOfLog(const std::string& process) const { return daemons_.TailOfLog(process); }

  // All processes are ended, kill -9, and all mounts detached; the folder is then left to the caller.
  void Abandon() { daemons_.Abandon(); }

 private:
  Group();
  Status MakeDisks(const GroupOptions& options);
  Status MakeLinks();
  GroupConfig ConfigFor(const GroupOptions& options) const;
  Status WriteConfig(const std::string& process, GroupConfig config,
                     const std::map<Port, std::uint16_t>& ports) const;
  std::string ConfigOf(const std::string& process) const;
  Result<HawserProgram> Twin(const std::string& node, const std::string& group);
  // As it is run where `process` runs.
  HawserProgram Program(const std::string& process) const;
  // The folder of `name`: on its disk if it has one.
  std::string Place(const std::string& name) const;

  TempDir folder_;
  GroupConfig config_;
  std::uint64_t twins_ = 0;
  std::map<std::string, std::unique_ptr<SmallDisk>> disks_;
  std::unique_ptr<Network> network_;
  Proxy proxy_;
  std::map<Port, std::uint16_t> ports_;
  std::map<std::string, std::map<Port, LinkId>> links_;
  std::set<std::pair<std::string, Port>> disturbed_links_;
  Daemons daemons_;  // they have ended before what they run on goes
};

}  // namespace hawser::test
