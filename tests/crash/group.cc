#include "tests/crash/group.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "common/base/files.h"
#include "tests/support/free_ports.h"
#include "tests/support/leftovers.h"
#include "tests/support/tree_compare.h"

namespace hawser::test {
namespace {

const std::string kPrefix = "hawser-crash-";

std::string CleanPrefix() {
  CleanUpAfterKilledTests(kPrefix);
  return kPrefix + std::to_string(getpid()) + "-";
}

}  // namespace

const char* NameOf(Port port) {
  switch (port) {
    case Port::kWrite:
      return "write";
    case Port::kStream:
      return "stream";
    case Port::kControl:
      return "control";
  }
  return "?";
}

Group::Group() : folder_(CleanPrefix()), daemons_(folder_.path()) {}

Result<std::unique_ptr<Group>> Group::Make(const GroupOptions& options) {
  std::unique_ptr<Group> group(new Group);
  HAWSER_TRY(group->MakeDisks(options));
  HAWSER_TRY(group->MakeLinks());
  if (options.namespaces) {
    HAWSER_ASSIGN(group->network_, Network::Make(kProcesses));
  }
  const GroupConfig config = group->ConfigFor(options);
  group->config_ = config;
  config.MakeFolders();
  HAWSER_TRY(group->WriteConfig("relay", config, group->ports_));
  for (const std::string& node : kNodes) {
    std::map<Port, std::uint16_t> ports;
    for (const auto& [port, link] : group->links_.at(node))
      ports[port] = options.namespaces ? group->ports_.at(port) : group->proxy_.port(link);
    HAWSER_TRY(group->WriteConfig(node, config, ports));
  }
  return group;
}

Status Group::MakeDisks(const GroupOptions& options) {
  for (const auto& [name, bytes] : options.disks) {
    std::string flat = name;
    std::ranges::replace(flat, '/', '-');
    const std::string image = folder() + "/" + flat + ".disk";
    const std::string mount = folder() + "/disks/" + flat;
    std::vector<std::string> mkfs = {"mkfs.ext4", "-q", "-F", "-m", "0"};
    if (options.xfs.contains(name)) mkfs = {"mkfs.xfs", "-q"};
    if (options.small_blocks.contains(name)) mkfs.insert(mkfs.end(), {"-b", "1024", "-N", "70000"});
    HAWSER_ASSIGN(disks_[name], SmallDisk::Make(image, mount, bytes, std::move(mkfs)));
  }
  return {};
}

Status Group::MakeLinks() {
  const auto ports = FreePorts(std::size(kPorts));
  for (std::size_t i = 0; i < std::size(kPorts); ++i) {
    ports_[kPorts[i]] = ports[i];
    for (const std::string& node : kNodes) {
      HAWSER_ASSIGN(links_[node][kPorts[i]], proxy_.Add(ports[i]));
    }
  }
  return {};
}

std::string Group::Place(const std::string& name) const {
  const auto disk = disks_.find(name);
  return disk != disks_.end() ? disk->second->folder() : folder() + "/" + name;
}

std::string Group::Mount(const std::string& node, const std::string& volume) const {
  return folder() + "/" + node + "/" + volume + ".mount";
}

std::string Group::Store(const std::string& node, const std::string& volume) const {
  return Place(node + "/" + volume);
}

std::string Group::State(const std::string& node) const { return Place(node + "/state"); }

std::string Group::Journal() const { return Place("relay"); }

std::string Group::ConfigOf(const std::string& process) const {
  return folder() + (process == "relay" ? "/hawser.yaml" : "/hawser-" + process + ".yaml");
}

GroupConfig Group::ConfigFor(const GroupOptions& options) const {
  GroupConfig config;
  config.group = "crash";
  if (options.namespaces) config.address = network_->AddressOf("relay") + ", insecure: true";
  config.journal = Journal();
  config.relay_keys = options.relay_keys;
  // A node that is silent is called so soon: tests wait for it.
  config.more = "failover: { mode: manual, detect: 1s }\n";
  config.secondaries = kSecondaries;
  config.state = [this](const auto& node) { return State(node); };
  config.store = [this](const auto& node, const auto& volume) { return Store(node, volume); };
  config.mount = [this](const auto& node, const auto& volume) { return Mount(node, volume); };
  return config;
}

Status Group::WriteConfig(const std::string& process, GroupConfig config,
                          const std::map<Port, std::uint16_t>& ports) const {
  config.write = ports.at(Port::kWrite);
  config.stream = ports.at(Port::kStream);
  config.control = ports.at(Port::kControl);
  return WriteFileAtomically(ConfigOf(process), config.Text());
}

Status Group::Start() {
  std::vector<std::string> started;
  for (const std::string& process : kProcesses) {
    if (IsRunning(process)) continue;
    HAWSER_TRY(Launch(process));
    started.push_back(process);
  }
  for (const std::string& process : started) HAWSER_TRY(AwaitReady(process));
  return {};
}

Status Group::Launch(const std::string& process, const std::string& crash_at) {
  std::map<std::string, std::string> environment;
  if (!crash_at.empty()) environment["HAWSER_CRASH_AT"] = crash_at;
  return daemons_.Launch(process, Program(process).ServiceCommand(process), std::move(environment));
}

Result<HawserProgram> Group::Twin(const std::string& node, const std::string& group) {
  // A new one each time: a twin that was killed leaves dead mounts.
  const std::string place = fmt::format("{}/{}-{}", folder(), kTwin, ++twins_);
  GroupConfig config = config_;
  config.group = group;
  config.state = [=](const auto& of) { return place + "/" + of + "/state"; };
  config.store = [=](const auto& of, const auto& volume) { return place + "/" + of + "/" + volume; };
  config.mount = [=](const auto& of, const auto& volume) {
    return place + "/" + of + "/" + volume + ".mount";
  };
  config.MakeFolders();
  std::map<Port, std::uint16_t> ports;
  for (const auto& [port, link] : links_.at(node)) ports[port] = proxy_.port(link);
  HAWSER_TRY(WriteConfig(kTwin, config, ports));
  HawserProgram program = Program(node);
  program.config = ConfigOf(kTwin);
  return program;
}

Status Group::LaunchTwin(const std::string& node, const std::vector<std::string>& more) {
  HAWSER_ASSIGN(const HawserProgram program, Twin(node, name()));
  std::vector<std::string> command = program.ServiceCommand(node);
  command.insert(command.end(), more.begin(), more.end());
  return daemons_.Launch(kTwin, command);
}

Result<CommandResult> Group::RunTwin(const std::string& node, const std::string& group) {
  HAWSER_ASSIGN(const HawserProgram program, Twin(node, group));
  return program.Run({"mount", node});
}

HawserProgram Group::Program(const std::string& process) const {
  return {HAWSER_CRASHABLE, ConfigOf(process), folder(),
          network_ == nullptr ? std::vector<std::string>() : network_->On(process)};
}

bool Group::AnyDiskIsFull() const {
  return std::ranges::any_of(disks_, [](const auto& disk) { return disk.second->full(); });
}

std::string Group::StateOf(const std::string& process) const {
  const auto status = GetStatus();
  return status ? StateIn(*status, process) : "?";
}

std::string Group::StateIn(const nlohmann::json& status, const std::string& process) {
  const nlohmann::json none = nlohmann::json::object();
  const nlohmann::json found =
      status.value(nlohmann::json::json_pointer(process == "relay" ? "/relay" : "/nodes/" + process), none);
  const std::string problem = found.value("problem", "");
  return found.value("state", "?") + (problem.empty() ? "" : ": " + problem);
}

Status Group::CompareStores() const {
  for (const std::string& volume : kVolumes) {
    const std::string original = Store(PrimaryOf(volume), volume);
    for (const std::string& node : kSecondaries) {
      HAWSER_ASSIGN(const CompareReport report, CompareTrees(original, Store(node, volume)));
      if (!report.equal())
        return Error{EBADMSG,
                     volume + " on " + PrimaryOf(volume) + " and " + node + " differ:\n" + report.Text()};
    }
  }
  return {};
}

}  // namespace hawser::test
