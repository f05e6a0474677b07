#include "tests/support/cluster.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "common/base/files.h"
#include "tests/support/free_ports.h"
#include "tests/support/leftovers.h"
#include "tests/support/ok.h"
#include "tests/support/tree_compare.h"

namespace hawser::test {
namespace {

const std::string kPrefix = "hawser-cluster-";

std::string CleanPrefix() {
  CleanUpAfterKilledTests(kPrefix);
  return kPrefix + std::to_string(getpid()) + "-";
}

}  // namespace

Cluster::Cluster(ClusterOptions options)
    : folder_(CleanPrefix()),
      config_(ConfigFor(options)),
      program_{HAWSER_PROGRAM, config(), folder(), std::move(options.prefix)},
      daemons_(folder()) {
  config_.MakeFolders();
  EXPECT_OK(WriteFileAtomically(config(), config_.Text()));
}

Cluster::~Cluster() {
  if (!::testing::Test::HasFailure()) return;
  for (const std::string& name : daemons_.names())
    std::fprintf(stderr, "---- end of the log of %s ----\n%s", name.c_str(),
                 daemons_.TailOfLog(name).c_str());
}

std::string Cluster::Mount(const std::string& node, const std::string& volume) const {
  return folder() + "/" + node + "/" + volume + ".mount";
}

std::string Cluster::Store(const std::string& node, const std::string& volume) const {
  return folder() + "/" + node + "/" + volume + ".store";
}

std::string Cluster::State(const std::string& node) const { return folder() + "/" + node + "/state"; }

GroupConfig Cluster::ConfigFor(const ClusterOptions& options) const {
  const auto ports = FreePorts(3);
  GroupConfig config;
  config.group = "test";
  config.write = ports[0];
  config.stream = ports[1];
  config.control = ports[2];
  config.journal = journal();
  config.relay_keys = options.relay_keys;
  config.volume_keys = options.volume_keys;
  config.replica_keys = options.replica_keys;
  config.more = options.more;
  config.secondaries = {"charlie"};
  config.state = [this](const auto& node) { return State(node); };
  config.store = [this](const auto& node, const auto& volume) { return Store(node, volume); };
  config.mount = [this](const auto& node, const auto& volume) { return Mount(node, volume); };
  return config;
}

Status Cluster::Start() {
  HAWSER_TRY(Start("relay"));
  for (const std::string& node : config_.nodes()) HAWSER_TRY(Start(node));
  return {};
}

Status Cluster::Start(const std::string& process, const std::vector<std::string>& more) {
  HAWSER_TRY(Launch(process, more));
  return AwaitReady(process);
}

Status Cluster::Launch(const std::string& process, const std::vector<std::string>& more) {
  std::vector<std::string> command = program_.ServiceCommand(process);
  command.insert(command.end(), more.begin(), more.end());
  return daemons_.Launch(process, command);
}

Status Cluster::StopAll() {
  for (const std::string& node : config_.nodes())
    if (daemons_.IsRunning(node)) HAWSER_TRY(Stop(node));
  if (daemons_.IsRunning("relay")) HAWSER_TRY(Stop("relay"));
  return {};
}

void Cluster::Kill(const std::string& process) {
  EXPECT_TRUE(daemons_.Kill(process)) << "a killed process did not end";
}

Result<CommandResult> Cluster::Hawser(std::vector<std::string> arguments,
                                      std::chrono::milliseconds patience) const {
  return program_.Run(std::move(arguments), patience);
}

std::string Cluster::StateOf(const std::string& node) const {
  const auto status = GetStatus();
  if (!status) return "?";
  return status->value(nlohmann::json::json_pointer("/nodes/" + node + "/state"), std::string("?"));
}

Status Cluster::WaitForSecondaries(std::chrono::milliseconds patience) const {
  return program_.AwaitCaughtUp(patience);
}

Status Cluster::CompareAllTrees() const {
  // What mappings have changed is still in the kernel's cache.
  for (const std::string& volume : kVolumes) {
    const std::string path = Mount(PrimaryOf(volume), volume);
    HAWSER_ASSIGN(const UniqueFd mount, OpenFile(path, O_RDONLY | O_DIRECTORY));
    if (syncfs(mount.get()) != 0) return ErrnoError("cannot sync", path);
  }
  HAWSER_TRY(WaitForSecondaries());
  for (const std::string& volume : kVolumes) HAWSER_TRY(CompareVolume(volume));
  return {};
}

Status Cluster::CompareVolume(const std::string& volume) const {
  const std::string original = Store(PrimaryOf(volume), volume);
  for (const std::string& copy :
       {Mount(PrimaryOf(volume), volume), Store("charlie", volume), Mount("charlie", volume)}) {
    HAWSER_ASSIGN(const CompareReport report, CompareTrees(original, copy));
    if (!report.equal()) return Error{EBADMSG, original + " and " + copy + " differ:\n" + report.Text()};
  }
  return {};
}

}  // namespace hawser::test
