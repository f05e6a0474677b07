// hawser pause NODE and hawser resume NODE: a node's copies stand still, whole, for a backup.
#include <fmt/format.h>

#include <thread>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/status_view.h"
#include "common/base/random.h"
#include "common/config/units.h"

namespace hawser::cli {
namespace {

// How often is asked how the order stands; that keeps it, too (kOrderIsKept in relay/limits.h).
constexpr auto kOrderPollInterval = std::chrono::milliseconds(50);

struct PauseOptions {
  std::string node;
  std::string timeout = "30s";
};

Json ToJson(const PauseOptions& options, OrderKind kind, SteadyClock::duration taken) {
  return {{"node", options.node},
          {"order", kind == OrderKind::kPause ? "pause" : "resume"},
          {"seconds", std::chrono::duration<double>(taken).count()}};
}

// What the relay knows of a node that doesn't do what it was told.
std::string StateOf(Client& client, const Config& config, const std::string& name) {
  const auto status = client.Status();
  if (!status) return "";
  const StatusView view = ReadStatus(*status, config);
  const NodeView* node = view.Find(name);
  if (node == nullptr) return "";
  return fmt::format(": it is {}{}", TextOf(node->state), node->problem.empty() ? "" : ": " + node->problem);
}

Result<Exit> GiveOrder(const Session& session, const PauseOptions& options, OrderKind kind) {
  HAWSER_ASSIGN(const Config config, LoadConfig(session));
  HAWSER_TRY(FindNode(config, options.node));
  const auto begin = SteadyClock::now();
  const Deadline deadline = begin + *ParseDuration(options.timeout);
  const std::uint64_t id = RandomNumber();
  const bool pause = kind == OrderKind::kPause;

  Client client(config);
  OrderState state;
  for (;;) {
    HAWSER_ASSIGN(state, client.Give(NodeName(options.node), id, kind));
    if (state.settled || SteadyClock::now() >= deadline) break;
    std::this_thread::sleep_for(kOrderPollInterval);
  }
  Json json = ToJson(options, kind, SteadyClock::now() - begin);
  if (!state.settled)
    return SayNo(session, json,
                 fmt::format("node {} has not {} after {}{}", options.node, pause ? "paused" : "resumed",
                             options.timeout, StateOf(client, config, options.node)),
                 pause ? fmt::format("if it has heard of this it pauses at its next group boundary: 'hawser "
                                     "status' shows it, 'hawser resume {}' takes it back",
                                     options.node)
                       : "'hawser status' shows when it goes on; else give the order again");
  if (!state.result.problem.empty())
    return SayNo(session, json,
                 fmt::format("node {} can't be {}: {}", options.node, pause ? "paused" : "resumed",
                             state.result.problem),
                 "see its log");
  const Position& at = state.result.at.position;
  json["applied"] = at.sequence.value;
  json["group"] = at.group.value;
  if (session.json) {
    PrintJson(json);
  } else if (pause) {
    fmt::print(
        "{}: stands at record {} (group {}), whole; what comes is received and kept. It goes on after "
        "'hawser resume {}'\n",
        options.node, Grouped(at.sequence.value), Grouped(at.group.value), options.node);
  } else {
    fmt::print("{}: goes on from record {} (group {})\n", options.node, Grouped(at.sequence.value),
               Grouped(at.group.value));
  }
  return Exit::kDone;
}

Result<Exit> RunPause(const Session& session, const PauseOptions& options) {
  return GiveOrder(session, options, OrderKind::kPause);
}

Result<Exit> RunResume(const Session& session, const PauseOptions& options) {
  return GiveOrder(session, options, OrderKind::kResume);
}

void AddOrder(CLI::App& app, Session& session, const std::string& name, const std::string& description,
              const std::string& examples, Result<Exit> (*run)(const Session&, const PauseOptions&)) {
  auto options = std::make_shared<PauseOptions>();
  CLI::App* command = AddCommand(app, session, name, description, examples);
  AddJsonOption(*command, session);
  command->add_option("node", options->node, "The node's name in the config")->type_name("NODE")->required();
  AddDurationOption(*command, "--timeout", options->timeout, "How long to wait for the node (30s)");
  Handle(command, session, options, run);
}

}  // namespace

void AddPause(CLI::App& app, Session& session) {
  AddOrder(
      app, session, "pause", "Let a node's copies stand still, whole, for a backup",
      "  hawser pause charlie && tar -cf docs.tar -C /mnt/docs .; hawser resume charlie\n"
      "\n"
      "When it returns, the copies stand at the end of a write group, all volumes at the same one, and\n"
      "nothing changes in their mounts and stores. The node goes on receiving; writers notice nothing. It\n"
      "stays paused until 'hawser resume', also when it is started again. (Started after a crash, it first\n"
      "redoes what it had received, and stands there.)",
      RunPause);
}

void AddResume(CLI::App& app, Session& session) {
  AddOrder(app, session, "resume", "Let a node's paused copies go on",
           "  hawser resume charlie && hawser wait --node charlie", RunResume);
}

}  // namespace hawser::cli
