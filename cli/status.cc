// hawser status: how far everyone is.
#include <fmt/format.h>

#include <cmath>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/local_status.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/status_check.h"
#include "cli/status_view.h"
#include "common/config/units.h"

namespace hawser::cli {
namespace {

struct StatusOptions {
  bool watch = false;
  std::string interval = "1s";
  bool check = false;
  std::string max_lag = "60s";
};

Colour ColourOf(ReplicaState state) {
  if (state == ReplicaState::kLive) return Colour::kGood;
  return state <= ReplicaState::kPaused ? Colour::kWarning : Colour::kBad;
}

std::string WhatToSay(const ReplicaView& volume) {
  if (!volume.problem.empty() || volume.unanswered == 0) return volume.problem;
  return fmt::format("since the start {} failed, and may have taken place later",
                     volume.unanswered == 1 ? "1 call" : fmt::format("{} calls", volume.unanswered));
}

void AddRow(Table& table, const NodeView& node, const ReplicaView& volume) {
  table.Add({{node.name},
             {volume.name},
             {volume.role ? std::string(TextOf(*volume.role)) : "?"},
             {std::string(TextOf(volume.state)), ColourOf(volume.state)},
             {Count(node.received)},
             {Count(volume.applied)},
             {Count(volume.lag_records)},
             {volume.lag_bytes ? HumanBytes(*volume.lag_bytes) : "?"},
             {volume.lag_seconds ? HumanSeconds(*volume.lag_seconds) : "?"},
             {Printable(WhatToSay(volume)), volume.problem.empty() ? Colour::kWarning : Colour::kBad}});
}

std::string TableOf(const StatusView& status, bool with_colour) {
  Table table({{"NODE"},
               {"VOLUME"},
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
    for (const auto& volume : node.volumes) AddRow(table, node, volume);
  }
  std::string text =
      fmt::format("group {}   relay {}   head {}   journal {}\n", status.group, status.relay_state,
                  Count(status.head), status.journal_bytes ? HumanBytes(*status.journal_bytes) : "?");
  if (!status.relay_problem.empty()) text += "relay: " + Printable(status.relay_problem) + "\n";
  for (const auto& note : status.notes) text += Printable(note) + "\n";
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

// One line on stdout, also when no relay answers: that is what a monitor shows.
Result<Exit> Check(const Session& session, const Config& config, std::chrono::milliseconds max_lag) {
  Client client(config);
  const auto status = client.Status();
  const Verdict verdict = status ? CheckStatus(ReadStatus(*status, config), max_lag)
                                 : Verdict{false, Printable("NOT KNOWN: " + status.error().message)};
  if (session.json) {
    PrintJsonLine({{"well", status ? Json(verdict.well) : Json()}, {"text", Utf8(verdict.line)}});
  } else {
    fmt::print("{}\n", verdict.line);
  }
  if (!status) return Exit::kFailed;
  return verdict.well ? Exit::kDone : Exit::kNo;
}

Result<Exit> RunStatus(const Session& session, const StatusOptions& options) {
  HAWSER_ASSIGN(const Config config, LoadConfig(session));
  if (options.check) return Check(session, config, *ParseDuration(options.max_lag));
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
      "  hawser status --check    for monitoring: one line, and exit code 0 (all is well), 1 (something\n"
      "                           isn't) or 3 (this group's relay does not answer)\n"
      "\n"
      "States, from well to bad:\n  " +
          fmt::format("{}", fmt::join(ReplicaStateTexts(), " ")) +
          "\n"
          "Received and applied are the numbers of records; lag is what the relay has and the node\n"
          "has not applied, and since when. '?': nobody knows.\n"
          "\n"
          "When the relay does not answer, or another group's does, the state folders on this machine are\n"
          "read instead: how far each copy is, the newest head it had heard of, and so how many records\n"
          "are known to be missing (exit code 3).");
  AddJsonOption(*command, session);
  command->add_flag("-w,--watch", options->watch, "Redraw until Ctrl-C");
  AddDurationOption(*command, "--interval", options->interval, "How often --watch redraws (1s)");
  command->add_flag("--check", options->check, "Say in one line whether all is well")->excludes("--watch");
  AddDurationOption(*command, "--max-lag", options->max_lag, "How far behind is well for --check (60s)");
  Handle(command, session, options, RunStatus);
}

}  // namespace hawser::cli
