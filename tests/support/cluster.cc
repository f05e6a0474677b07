#include "tests/support/cluster.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "common/base/files.h"
#include "tests/support/free_ports.h"
#include "tests/support/hawser_answers.h"
#include "tests/support/leftovers.h"
#include "tests/support/tree_compare.h"

namespace hawser::test {
namespace {

const std::string kPrefix = "hawser-cluster-";
constexpr std::size_t kLogLinesShown = 40;

struct Volume {
  const char* name;
  const char* primary;
  std::vector<std::string> nodes;
};

const std::vector<Volume>& Volumes() {
  static const std::vector<Volume> volumes = {{"docs", "alpha", {"alpha", "charlie"}},
                                              {"mail", "bravo", {"bravo", "charlie"}}};
  return volumes;
}

const std::vector<std::string>& Nodes() {
  static const std::vector<std::string> nodes = {"alpha", "bravo", "charlie"};
  return nodes;
}

std::string Flow(const std::map<std::string, std::string>& keys) {
  std::string text;
  for (const auto& [key, value] : keys) text += ", " + key + ": " + value;
  return text;
}

}  // namespace

Cluster::Cluster(ClusterOptions options) : options_(std::move(options)) {
  CleanUpAfterKilledTests(kPrefix);
  folder_ = std::make_unique<TempDir>(kPrefix + std::to_string(getpid()) + "-");
  for (const Volume& volume : Volumes())
    for (const std::string& node : volume.nodes)
      for (const std::string& path : {Mount(node, volume.name), Store(node, volume.name)})
        std::filesystem::create_directories(path);
  WriteConfig(options_);
}

Cluster::~Cluster() {
  if (::testing::Test::HasFailure())
    for (const auto& [name, process] : processes_)
      std::fprintf(stderr, "---- end of the log of %s ----\n%s", name.c_str(),
                   TailOfLog(name, kLogLinesShown).c_str());
  for (auto& [name, process] : processes_) process.Signal(SIGCONT);
  for (auto& [name, process] : processes_)
    if (name != "relay") process.Signal(SIGTERM);
  // A test that fails may leave callers in a mount that nobody answers any more.
  WaitUntil(
      [this] {
        return std::ranges::none_of(processes_,
                                    [](auto& p) { return p.first != "relay" && p.second.running(); });
      },
      std::chrono::seconds(10));
  processes_.clear();
  DetachAllBelow(folder_->path());
}

std::string Cluster::Mount(const std::string& node, const std::string& volume) const {
  return folder_->path() + "/" + node + "/" + volume + ".mount";
}

std::string Cluster::Store(const std::string& node, const std::string& volume) const {
  return folder_->path() + "/" + node + "/" + volume + ".store";
}

std::string Cluster::State(const std::string& node) const { return folder_->path() + "/" + node + "/state"; }

std::string Cluster::Log(const std::string& process) const {
  return folder_->path() + "/" + process + ".log";
}

void Cluster::WriteConfig(const ClusterOptions& options) const {
  const auto ports = FreePorts(3);
  std::ofstream yaml(config());
  yaml << "group: test\nrelay: { address: 127.0.0.1, ports: { write: " << ports[0] << ", stream: " << ports[1]
       << ", control: " << ports[2] << " }, journal: " << journal() << Flow(options.relay_keys)
       << " }\nvolumes:\n";
  for (const Volume& volume : Volumes())
    yaml << "  " << volume.name << ": { primary: " << volume.primary << Flow(options.volume_keys) << " }\n";
  yaml << "nodes:\n";
  for (const std::string& node : Nodes()) {
    yaml << "  " << node << ":\n    state: " << State(node) << "\n    volumes:\n";
    for (const Volume& volume : Volumes())
      if (std::ranges::find(volume.nodes, node) != volume.nodes.end())
        yaml << "      " << volume.name << ": { store: " << Store(node, volume.name)
             << ", mount: " << Mount(node, volume.name) << Flow(options.replica_keys) << " }\n";
  }
}

Status Cluster::Start() {
  HAWSER_TRY(Start("relay"));
  for (const std::string& node : Nodes()) HAWSER_TRY(Start(node));
  return {};
}

Status Cluster::Start(const std::string& process) {
  static int count = 0;
  const std::string notices = kPrefix + std::to_string(getpid()) + "-" + std::to_string(++count);
  HAWSER_ASSIGN(ReadyNotice notice, ReadyNotice::Listen(notices));
  std::vector<std::string> command = options_.prefix;
  command.insert(command.end(), {HAWSER_PROGRAM, "-c", config()});
  if (process == "relay")
    command.push_back("relay");
  else
    command.insert(command.end(), {"mount", process});
  HAWSER_ASSIGN(Process started, Process::Start({.command = command,
                                                 .output = Log(process),
                                                 .folder = folder_->path(),
                                                 .environment = {{"NOTIFY_SOCKET", notice.address()}}}));
  processes_.erase(process);
  processes_.emplace(process, std::move(started));
  return AwaitReady(process, notice);
}

Status Cluster::AwaitReady(const std::string& name, ReadyNotice& notice) {
  Process& process = Running(name);
  bool ready = false;
  WaitUntil([&] { return (ready = notice.Received()) || !process.running(); });
  if (ready) return {};
  const std::string what = process.running() ? " is not ready in time" : " has ended before it was ready";
  return Error{ETIMEDOUT, name + what + "; its log:\n" + TailOfLog(name, kLogLinesShown)};
}

Status Cluster::Stop(const std::string& process) {
  Running(process).Signal(SIGTERM);
  HAWSER_ASSIGN(const int exit, Running(process).Wait());
  if (exit == 0) return {};
  return Error{EIO, process + " ended with " + std::to_string(exit) + "; its log:\n" +
                        TailOfLog(process, kLogLinesShown)};
}

Status Cluster::StopAll() {
  for (const std::string& node : Nodes())
    if (processes_.contains(node) && Running(node).running()) HAWSER_TRY(Stop(node));
  if (processes_.contains("relay") && Running("relay").running()) HAWSER_TRY(Stop("relay"));
  return {};
}

void Cluster::Kill(const std::string& process) {
  Running(process).Signal(SIGKILL);
  EXPECT_TRUE(Running(process).Wait()) << "a killed process did not end";
}

void Cluster::Freeze(const std::string& process) { Running(process).Signal(SIGSTOP); }

void Cluster::Thaw(const std::string& process) { Running(process).Signal(SIGCONT); }

Process& Cluster::Running(const std::string& process) { return processes_.at(process); }

Result<CommandResult> Cluster::Hawser(std::vector<std::string> arguments,
                                      std::chrono::milliseconds patience) const {
  arguments.insert(arguments.begin(), HAWSER_PROGRAM);
  arguments.insert(arguments.end(), {"-c", config()});
  return RunCommand(arguments, folder_->path(), patience);
}

Result<nlohmann::json> Cluster::GetStatus() const {
  HAWSER_ASSIGN(const CommandResult result, Hawser({"status", "--json"}));
  return StatusIn(result);
}

std::string Cluster::StateOf(const std::string& node) const {
  const auto status = GetStatus();
  if (!status) return "?";
  return status->value(nlohmann::json::json_pointer("/nodes/" + node + "/state"), std::string("?"));
}

Status Cluster::WaitForSecondaries(std::chrono::milliseconds patience) const {
  const std::string timeout = std::to_string(patience.count()) + "ms";
  HAWSER_ASSIGN(const CommandResult result, Hawser({"wait", "--timeout", timeout}, patience + kPatience));
  return ReachedIn(result);
}

Status Cluster::CompareAllTrees() const {
  // What mappings have changed is still in the kernel's cache.
  for (const Volume& volume : Volumes()) {
    HAWSER_ASSIGN(const UniqueFd mount, OpenFile(Mount(volume.primary, volume.name), O_RDONLY | O_DIRECTORY));
    if (syncfs(mount.get()) != 0) return ErrnoError("cannot sync", Mount(volume.primary, volume.name));
  }
  HAWSER_TRY(WaitForSecondaries());
  for (const Volume& volume : Volumes()) HAWSER_TRY(CompareVolume(volume.name, volume.primary));
  return {};
}

Status Cluster::CompareVolume(const std::string& volume, const std::string& primary) const {
  const std::string original = Store(primary, volume);
  for (const std::string& copy :
       {Mount(primary, volume), Store("charlie", volume), Mount("charlie", volume)}) {
    HAWSER_ASSIGN(const CompareReport report, CompareTrees(original, copy));
    if (!report.equal()) return Error{EBADMSG, original + " and " + copy + " differ:\n" + report.Text()};
  }
  return {};
}

std::string Cluster::TailOfLog(const std::string& process, std::size_t lines) const {
  return TailOf(Log(process), lines);
}

}  // namespace hawser::test
