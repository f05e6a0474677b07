// hawser mount NODE: one node with its mounts, in the foreground.
#include <fmt/format.h>

#include <atomic>
#include <future>

#include "cli/commands.h"
#include "cli/daemon.h"
#include "cli/foresight.h"
#include "common/base/log.h"
#include "node/node.h"

namespace hawser::cli {
namespace {

// How often a signal is looked for, and the end of the start, while a node starts.
constexpr auto kStartInterval = std::chrono::milliseconds(10);

struct MountOptions {
  std::string node;
  std::vector<std::string> new_stores;
  bool take_over = false;
  bool group_is_examined = false;
};

using Started = Result<std::unique_ptr<Node>>;

// Node::Start in a thread of its own, so that a signal ends it also while it waits for the relay. Whether a
// signal came is in `stopped`: the node may have been started all the same.
Started StartUntilSignal(Signals& signals, const Config& config, const std::string& node,
                         const StartOptions& start, bool& stopped) {
  std::atomic<bool> cancel = false;
  auto starting =
      std::async(std::launch::async, [&] { return Node::Start(config, NodeName(node), start, &cancel); });
  while (starting.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    if (!WaitForEnd(signals, kStartInterval) || stopped) continue;
    log::info("stopping before the start is done");
    Notify("STOPPING=1");
    cancel = stopped = true;
  }
  return starting.get();
}

Result<std::set<VolumeName>> NewStores(const Config& config, const MountOptions& options) {
  const auto& volumes = config.nodes.at(NodeName(options.node)).volumes;
  std::set<VolumeName> stores;
  for (const std::string& name : options.new_stores) {
    if (!volumes.contains(VolumeName(name)))
      return Error{EINVAL,
                   fmt::format("--new-store {}: node {} has no volume of that name", name, options.node)};
    stores.insert(VolumeName(name));
  }
  return stores;
}

Result<Exit> RunMount(const Session& session, const MountOptions& options) {
  HAWSER_ASSIGN(const Config config, LoadConfig(session));
  HAWSER_ASSIGN(const NodeConfig* own, FindNode(config, options.node));
  StartOptions start{.take_over = options.take_over, .new_stores = {}};
  HAWSER_ASSIGN(start.new_stores, NewStores(config, options));
  HAWSER_ASSIGN(Signals signals, ServiceSignals());
  BecomeService(options.node, session);
  log::info("node {} of group {} from {}", options.node, config.group, config.path);
  if (!options.group_is_examined) HAWSER_TRY(SayForeseen(ForeseenForGroup(config)));
  HAWSER_TRY(SayForeseen(ForeseenForNode(options.node, *own)));

  bool stopped = false;
  Started node = StartUntilSignal(signals, config, options.node, start, stopped);
  if (!node && stopped && node.error().code == ECANCELED) return Exit::kDone;
  const auto failed = [&](const Error& error, const std::string& advice) {
    return CannotDo(Error{error.code, "node " + options.node + ": " + error.message}, advice);
  };
  if (!node) {
    const std::string on_it =
        " --node " + options.node + (session.config_option.empty() ? "" : " -c " + session.config_option);
    if (IsNoRoom(node.error())) return failed(node.error(), "make room there, then start it again");
    const bool missing = node.error().code == ENOENT;
    return failed(node.error(), missing ? "'hawser init" + on_it + "' makes the folders that are missing"
                                        : "'hawser check" + on_it + "' looks at config and machine");
  }
  if (!stopped) {
    ServeUntilSignal(signals, fmt::format("mounted {}", fmt::join((*node)->mounts(), ", ")),
                     [&] { return (*node)->ended(); });
    if ((*node)->ended()) log::warn("everything has been unmounted by somebody else");
  }
  const Status ended = (*node)->Stop();
  if (!ended) return failed(ended.error(), "what is applied is safe; the next start redoes the rest");
  log::info("stopped");
  return Exit::kDone;
}

}  // namespace

void AddMount(CLI::App& app, Session& session) {
  auto options = std::make_shared<MountOptions>();
  CLI::App* command = AddCommand(
      app, session, "mount", "Run a node: mount its volumes, until SIGTERM or Ctrl-C",
      "  hawser mount alpha               the node alpha of ./hawser.yaml\n"
      "  hawser mount alpha -c /etc/hawser/hawser.yaml\n"
      "  systemctl enable --now hawser-mount@alpha\n"
      "\n"
      "Logs to stderr and tells systemd when its mounts answer. On SIGTERM or Ctrl-C calls in flight\n"
      "are finished, a checkpoint is written and the mounts are taken down. A dead mount that a crash\n"
      "left stays until the new one takes its place. Run by root, an empty mount folder is made immutable\n"
      "(chattr +i), so that nobody writes into it while nothing is mounted.");
  command->add_option("node", options->node, "The node's name in the config")->type_name("NODE")->required();
  command->add_flag("--take-over", options->take_over,
                    "End another process, elsewhere or with another state folder, that serves this node");
  AddRepeatable(*command, "--new-store", options->new_stores,
                "This volume's store is meant to be new and empty: forget what the one before held")
      ->type_name("VOLUME");
  AddGroupIsExamined(*command, options->group_is_examined);
  Handle(command, session, options, RunMount);
}

}  // namespace hawser::cli
