#include "tests/support/cluster.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/files.h"
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

// Below the range from which the kernel gives ports to connections.
bool IsFree(std::uint16_t port) {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

std::vector<std::uint16_t> FreePorts(std::size_t count) {
  std::vector<std::uint16_t> ports;
  auto port = static_cast<std::uint16_t>(15000 + getpid() * 7 % 15000);
  for (; ports.size() < count; ++port)
    if (IsFree(port)) ports.push_back(port);
  return ports;
}

std::vector<std::string> MountsBelow(const std::string& folder) {
  std::vector<std::string> mounts;
  std::ifstream info("/proc/self/mountinfo");
  for (std::string line; std::getline(info, line);) {
    std::istringstream words(line);
    std::string path;
    for (int i = 0; i < 5; ++i) words >> path;
    if (path.starts_with(folder + "/")) mounts.push_back(path);
  }
  return mounts;
}

void Detach(const std::string& mount) {
  if (umount2(mount.c_str(), MNT_DETACH) == 0) return;
  static_cast<void>(RunCommand({"fusermount3", "-u", "-z", mount}));
}

// Folders and mounts of tests whose process is gone.
void CleanUpAfterKilledTests() {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(TempRoot(), failed)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kPrefix)) continue;
    const pid_t pid = std::atoi(name.c_str() + kPrefix.size());
    if (pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH) continue;
    for (const std::string& mount : MountsBelow(entry.path())) Detach(mount);
    std::filesystem::remove_all(entry.path(), failed);
  }
}

std::string Flow(const std::map<std::string, std::string>& keys) {
  std::string text;
  for (const auto& [key, value] : keys) text += ", " + key + ": " + value;
  return text;
}

// A socket for sd_notify(3), in the abstract namespace.
Result<UniqueFd> ListenForNotices(const std::string& name) {
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (!fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
    return ErrnoError("cannot listen for notices at " + name);
  return fd;
}

bool ReceivesReady(int socket) {
  pollfd ready{socket, POLLIN, 0};
  if (poll(&ready, 1, 0) <= 0) return false;
  char text[512];
  const ssize_t size = recv(socket, text, sizeof text, 0);
  return size > 0 &&
         std::string_view(text, static_cast<std::size_t>(size)).find("READY=1") != std::string_view::npos;
}

}  // namespace

Cluster::Cluster(ClusterOptions options) : options_(std::move(options)) {
  CleanUpAfterKilledTests();
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
  for (const std::string& mount : MountsBelow(folder_->path())) Detach(mount);
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
  HAWSER_ASSIGN(const UniqueFd socket, ListenForNotices(notices));
  std::vector<std::string> command = options_.prefix;
  command.insert(command.end(), {HAWSER_PROGRAM, "-c", config()});
  if (process == "relay")
    command.push_back("relay");
  else
    command.insert(command.end(), {"mount", process});
  HAWSER_ASSIGN(Process started, Process::Start({.command = command,
                                                 .output = Log(process),
                                                 .folder = folder_->path(),
                                                 .environment = {{"NOTIFY_SOCKET", "@" + notices}}}));
  processes_.erase(process);
  processes_.emplace(process, std::move(started));
  return AwaitReady(process, socket.get());
}

Status Cluster::AwaitReady(const std::string& name, int socket) {
  Process& process = Running(name);
  bool ready = false;
  WaitUntil([&] { return (ready = ReceivesReady(socket)) || !process.running(); });
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
  auto status = nlohmann::json::parse(result.output, nullptr, /*allow_exceptions=*/false);
  if (result.exit != 0 || !status.is_object()) return Error{EIO, "hawser status: " + result.output};
  return status;
}

std::string Cluster::StateOf(const std::string& node) const {
  const auto status = GetStatus();
  if (!status) return "?";
  return status->value(nlohmann::json::json_pointer("/nodes/" + node + "/state"), std::string("?"));
}

Status Cluster::WaitForSecondaries(std::chrono::milliseconds patience) const {
  const std::string timeout = std::to_string(patience.count()) + "ms";
  HAWSER_ASSIGN(const CommandResult result, Hawser({"wait", "--timeout", timeout}, patience + kPatience));
  if (result.exit == 0) return {};
  return Error{ETIMEDOUT, "hawser wait ended with " + std::to_string(result.exit) + ": " + result.output};
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
  std::deque<std::string> tail;
  std::ifstream log(Log(process));
  for (std::string line; std::getline(log, line);) {
    tail.push_back(line);
    if (tail.size() > lines) tail.pop_front();
  }
  std::string text;
  for (const std::string& line : tail) text += line + "\n";
  return text;
}

}  // namespace hawser::test
