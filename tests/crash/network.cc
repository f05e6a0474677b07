#include "tests/crash/network.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "tests/support/process.h"

namespace hawser::test {
namespace {

const std::string kNamespaces = "/run/netns";
const std::string kPrefix = "hawser-";

Status Ip(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "ip");
  return RunSuccessfully(arguments);
}

// Named kPrefix and the number of a process that is gone.
void RemoveLeftovers() {
  std::error_code failed;
  std::vector<std::string> old;
  for (const auto& entry : std::filesystem::directory_iterator(kNamespaces, failed)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kPrefix)) continue;
    const pid_t pid = std::atoi(name.c_str() + kPrefix.size());
    if (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH) old.push_back(name);
  }
  for (const std::string& name : old) static_cast<void>(Ip({"netns", "del", name}));
}

}  // namespace

Network::Network() : prefix_(kPrefix + std::to_string(getpid()) + "-") { RemoveLeftovers(); }

bool Network::Available() {
  static const bool available = geteuid() == 0 && static_cast<bool>(Make({"trial"}));
  return available;
}

Result<std::unique_ptr<Network>> Network::Make(const std::vector<std::string>& machines) {
  std::unique_ptr<Network> network(new Network);
  HAWSER_TRY(network->AddSwitch());
  for (std::size_t i = 0; i < machines.size(); ++i) HAWSER_TRY(network->AddMachine(machines[i], i + 1));
  return network;
}

Network::~Network() {
  for (const std::string& name : namespaces_) static_cast<void>(Ip({"netns", "del", name}));
}

Status Network::AddSwitch() {
  HAWSER_TRY(Ip({"netns", "add", Switch()}));
  namespaces_.push_back(Switch());
  HAWSER_TRY(Ip({"-n", Switch(), "link", "add", "switch", "type", "bridge"}));
  return Ip({"-n", Switch(), "link", "set", "switch", "up"});
}

Status Network::AddMachine(const std::string& machine, std::size_t number) {
  const std::string space = NamespaceOf(machine);
  addresses_[machine] = "10.213.0." + std::to_string(number);
  HAWSER_TRY(Ip({"netns", "add", space}));
  namespaces_.push_back(space);
  HAWSER_TRY(
      Ip({"-n", Switch(), "link", "add", machine, "type", "veth", "peer", "name", "cable", "netns", space}));
  HAWSER_TRY(Ip({"-n", Switch(), "link", "set", machine, "up"}));
  HAWSER_TRY(Ip({"-n", space, "link", "set", "lo", "up"}));
  HAWSER_TRY(Ip({"-n", space, "addr", "add", addresses_[machine] + "/24", "dev", "cable"}));
  HAWSER_TRY(Ip({"-n", space, "link", "set", "cable", "up"}));
  return Plug(machine);
}

std::vector<std::string> Network::On(const std::string& machine) const {
  return {"nsenter", "--net=" + kNamespaces + "/" + NamespaceOf(machine)};
}

Status Network::Pull(const std::string& machine) {
  return Ip({"-n", Switch(), "link", "set", machine, "nomaster"});
}

Status Network::Plug(const std::string& machine) {
  return Ip({"-n", Switch(), "link", "set", machine, "master", "switch"});
}

}  // namespace hawser::test
