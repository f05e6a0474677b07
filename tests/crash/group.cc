#include "tests/crash/group.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "common/base/files.h"
#include "tests/support/free_ports.h"
#include "tests/support/hawser_answers.h"
#include "tests/support/leftovers.h"
#include "tests/support/tree_compare.h"

namespace hawser::test {
namespace {

const std::string kPrefix = "hawser-crash-";
constexpr std::size_t kLogLinesShown = 30;
constexpr auto kEndPatience = std::chrono::seconds(10);

std::string MoreKeys(const std::map<std::string, std::string>& keys) {
  std::string text;
  for (const auto& [key, value] : keys) text += ", " + key + ": " + value;
  return text;
}

bool Holds(const std::string& node, const std::string& volume) {
  return node == PrimaryOf(volume) || std::ranges::find(kSecondaries, node) != kSecondaries.end();
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

const std::string& PrimaryOf(const std::string& volume) {
  return kPrimaries.at(volume == kVolumes.at(0) ? 0 : 1);
}

Group::Group() {
  CleanUpAfterKilledTests(kPrefix);
  folder_ = std::make_unique<TempDir>(kPrefix + std::to_string(getpid()) + "-");
}

Result<std::unique_ptr<Group>> Group::Make(const GroupOptions& options) {
  std::unique_ptr<Group> group(new Group);
  HAWSER_TRY(group->MakeDisks(options));
  HAWSER_TRY(group->MakeLinks());
  if (options.namespaces) {
    HAWSER_ASSIGN(group->network_, Network::Make(kProcesses));
  }
  for (const std::string& volume : kVolumes) {
    for (const std::string& node : kNodes) {
      if (!Holds(node, volume)) continue;
      HAWSER_TRY(MakeDirectories(group->Mount(node, volume)));
      HAWSER_TRY(MakeDirectories(group->Store(node, volume)));
    }
  }
  group->WriteConfig(group->ConfigOf("relay"), group->ports_, options);
  for (const std::string& node : kNodes) {
    std::map<Port, std::uint16_t> ports;
    for (const auto& [port, link] : group->links_.at(node))
      ports[port] = options.namespaces ? group->ports_.at(port) : group->proxy_.port(link);
    group->WriteConfig(group->ConfigOf(node), ports, options);
  }
  return group;
}

Group::~Group() {
  for (auto& [name, process] : processes_) process.Signal(SIGCONT);
  for (auto& [name, process] : processes_)
    if (name != "relay") process.Signal(SIGTERM);
  WaitUntil(
      [this] {
        return std::ranges::none_of(processes_,
                                    [](auto& p) { return p.first != "relay" && p.second.running(); });
      },
      kEndPatience);
  Abandon();
}

void Group::Abandon() {
  processes_.clear();
  DetachAllBelow(folder());
}

Status Group::MakeDisks(const GroupOptions& options) {
  for (const auto& [name, bytes] : options.disks) {
    std::string flat = name;
    std::ranges::replace(flat, '/', '-');
    HAWSER_ASSIGN(disks_[name],
                  SmallDisk::Make(folder() + "/" + flat + ".disk", folder() + "/disks/" + flat, bytes));
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

std::string Group::Log(const std::string& process) const { return folder() + "/" + process + ".log"; }

std::string Group::ConfigOf(const std::string& process) const {
  return folder() + (process == "relay" ? "/hawser.yaml" : "/hawser-" + process + ".yaml");
}

void Group::WriteConfig(const std::string& path, const std::map<Port, std::uint16_t>& ports,
                        const GroupOptions& options) const {
  std::ofstream yaml(path);
  yaml << "group: crash\nrelay: { address: "
       << (options.namespaces ? network_->AddressOf("relay") + ", insecure: true" : "127.0.0.1")
       << ", ports: {";
  for (const auto& [port, number] : ports)
    yaml << (port == Port::kWrite ? " " : ", ") << NameOf(port) << ": " << number;
  yaml << " }, journal: " << Journal() << MoreKeys(options.relay_keys) << " }\nvolumes:\n";
  for (const std::string& volume : kVolumes)
    yaml << "  " << volume << ": { primary: " << PrimaryOf(volume) << " }\n";
  // A node that is silent is called so soon: tests wait for it.
  yaml << "failover: { mode: manual, detect: 1s }\nnodes:\n";
  for (const std::string& node : kNodes) {
    yaml << "  " << node << ":\n    state: " << State(node) << "\n    volumes:\n";
    for (const std::string& volume : kVolumes)
      if (Holds(node, volume))
        yaml << "      " << volume << ": { store: " << Store(node, volume)
             << ", mount: " << Mount(node, volume) << " }\n";
  }
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
  notices_.erase(process);
  processes_.erase(process);
  HAWSER_ASSIGN(ReadyNotice notice, ReadyNotice::Listen(folder() + "/ready-" + std::to_string(++launches_)));
  ProcessOptions options{.command = {HAWSER_CRASHABLE, "-c", ConfigOf(process)},
                         .output = Log(process),
                         .folder = folder(),
                         .environment = {{"NOTIFY_SOCKET", notice.address()}}};
  if (!crash_at.empty()) options.environment["HAWSER_CRASH_AT"] = crash_at;
  if (process == "relay") {
    options.command.push_back("relay");
  } else {
    options.command.insert(options.command.end(), {"mount", process});
  }
  options.command = On(process, std::move(options.command));
  HAWSER_ASSIGN(Process started, Process::Start(options));
  processes_.emplace(process, std::move(started));
  notices_.emplace(process, std::move(notice));
  return {};
}

Status Group::AwaitReady(const std::string& process) {
  bool ready = false;
  WaitUntil([&] { return (ready = notices_.at(process).Received()) || !IsRunning(process); });
  if (ready) return {};
  const std::string what = IsRunning(process) ? " is not ready in time" : " has ended before it was ready";
  return Error{ETIMEDOUT, process + what + "; its log:\n" + TailOfLog(process, kLogLinesShown)};
}

std::vector<std::string> Group::On(const std::string& process, std::vector<std::string> command) const {
  if (network_ == nullptr) return command;
  const std::vector<std::string> prefix = network_->On(process);
  command.insert(command.begin(), prefix.begin(), prefix.end());
  return command;
}

bool Group::IsRunning(const std::string& process) {
  const auto found = processes_.find(process);
  return found != processes_.end() && found->second.running();
}

void Group::Kill(const std::string& process) {
  Process& running = processes_.at(process);
  running.Signal(SIGKILL);
  static_cast<void>(running.Wait());
}

Result<CommandResult> Group::Hawser(std::vector<std::string> arguments,
                                    std::chrono::milliseconds patience) const {
  arguments.insert(arguments.begin(), HAWSER_CRASHABLE);
  arguments.insert(arguments.end(), {"-c", ConfigOf("relay")});
  return RunCommand(On("relay", std::move(arguments)), folder(), patience);
}

Result<nlohmann::json> Group::GetStatus() const {
  HAWSER_ASSIGN(const CommandResult result, Hawser({"status", "--json"}));
  return StatusIn(result);
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

Status Group::AwaitCaughtUp(std::chrono::milliseconds patience) const {
  const std::string timeout = std::to_string(patience.count()) + "ms";
  HAWSER_ASSIGN(const CommandResult result, Hawser({"wait", "--timeout", timeout}, patience + kPatience));
  return ReachedIn(result);
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

std::string Group::TailOfLog(const std::string& process, std::size_t lines) const {
  return TailOf(Log(process), lines);
}

}  // namespace hawser::test
