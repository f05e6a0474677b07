// hawser status: how far everyone is.
#include <fmt/format.h>

#include <cmath>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/local_status.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/status_view.h"
#include "common/config/units.h"

namespace hawser::cli {
namespace {

struct StatusOptions {
  bool watch = false;
  std::string interval = "1s";
};

Colour ColourOf(ReplicaState state) {
  if (state == ReplicaState::kLive) return Colour::kGood;
  return state <= ReplicaState::kPaused ? Colour::kWarning : Colour::kBad;
}

std::string TableOf(const StatusView& status, bool with_colour) {
  Table table({{"NODE"},
               {"ROLE"},
               {"STATE"},
               {"RECEIVED", true},
               {"APPLIED", true},
               {"LAG RECORDS", true},
               {"LAG BYTES", true},
               {"LAG TIME", true},
               {"PROBLEM"}},
              with_colour);
  for (const auto& node : status.nodes) {
    table.Add({{node.name},
               {node.role ? std::string(TextOf(*node.role)) : "?"},
               {std::string(TextOf(node.state)), ColourOf(node.state)},
               {Count(node.received)},
               {Count(node.applied)},
               {Count(node.lag_records)},
               {node.lag_bytes ? HumanBytes(*node.lag_bytes) : "?"},
               {node.lag_seconds ? HumanSeconds(*node.lag_seconds) : "?"},
               {Printable(node.problem), Colour::kBad}});
  }
  std::string text =
      fmt::format("group {}   relay {}   head {}   journal {}\n", status.group, status.relay_state,
                  Count(status.head), status.journal_bytes ? HumanBytes(*status.journal_bytes) : "?");
  if (!status.relay_problem.empty()) text += "relay: " + Printable(status.relay_problem) + "\n";
  return text + "\n" + table.Text();
}

void Show(const Json& status, const Config& config, bool json, bool once) {
  if (!json) {
    fmt::print("{}", TableOf(ReadStatus(status, config), StdoutHasColour()));
  } else if (once) {
    PrintJson(status);
  } else {
    PrintJsonLine(status);
  }
  std::fflush(stdout);
}

// The relay doesn't answer: what this machine's own folders tell. Exit code 3 all the same.
void ShowLocal(const Config& config, const std::string& problem, bool json, bool once) {
  const auto nodes = ReadLocalNodes(config);
  if (json) {
    const Json status = nodes.empty() ? Json{{"error", problem}} : LocalStatusJson(config, nodes, problem);
    once ? PrintJson(status) : PrintJsonLine(status);
    return;
  }
  if (!once) fmt::print("{}\n", Printable(problem));
  if (!nodes.empty()) fmt::print("{}{}", once ? "" : "\n", LocalStatusTable(nodes, StdoutHasColour()));
}

// Until a signal ends it; a relay that is away is shown as that, and looked for again.
Result<Exit> Watch(const Session& session, const Config& config, std::chrono::milliseconds interval) {
  const bool redraw = !session.json && StdoutHasColour();
  HAWSER_ASSIGN(Signals signals, Signals::Block());
  Client client(config);
  for (;;) {
    const auto status = client.Status();
    if (redraw) fmt::print("\033[H\033[2J");
    if (status) {
      Show(*status, config, session.json, /*once=*/false);
    } else {
      ShowLocal(config, status.error().message, session.json, /*once=*/false);
    }
    if (!session.json) fmt::print("\n");
    std::fflush(stdout);
    if (signals.WaitFor(interval)) return Exit::kDone;
  }
}

Result<Exit> RunStatus(const Session& session, const StatusOptions& options) {
  HAWSER_ASSIGN(const Config config, LoadConfig(session));
  const auto interval = ParseDuration(options.interval);  // checked when the command line was read
  if (options.watch) return Watch(session, config, *interval);
  Client client(config);
  const auto status = client.Status();
  if (!status) {
    PrintError(status.error().message);
    ShowLocal(config, status.error().message, session.json, /*once=*/true);
    return Exit::kFailed;
  }
  Show(*status, config, session.json, /*once=*/true);
  return Exit::kDone;
}

}  // namespace

void AddStatus(CLI::App& app, Session& session) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* command = AddCommand(
      app, session, "status", "Show how far everyone is",
      "  hawser status            a table: node, role, state, how far behind\n"
      "  hawser status --watch    redrawn each second until Ctrl-C\n"
      "  hawser status --json     for programs\n"
      "\n"
      "States, from well to bad: " +
          fmt::format("{}", fmt::join(ReplicaStateTexts(), ", ")) +
          ".\n"
          "Received and applied are the numbers of records; lag is what the relay has and the node\n"
          "has not applied.\n"
          "\n"
          "When no relay answers, the state folders on this machine are read instead: how far each copy is,\n"
          "the newest head it had heard of, and so how many records are known to be missing (exit code 3).");
  AddJsonOption(*command, session);
  command->add_flag("-w,--watch", options->watch, "Redraw until Ctrl-C");
  AddDurationOption(*command, "--interval", options->interval, "How often --watch redraws (1s)");
  Handle(command, session, options, RunStatus);
}

}  // namespace hawser::cli
