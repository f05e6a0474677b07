// hawser check: is everything there that the config needs on this machine?
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/foresight.h"
#include "cli/local_status.h"
#include "cli/output.h"
#include "cli/probe.h"

namespace hawser::cli {
namespace {

struct CheckOptions {
  std::vector<std::string> nodes;
  bool relay = false;
};

void Append(Findings& to, Findings more) { to.insert(to.end(), more.begin(), more.end()); }

void ExamineRelay(Findings& findings, const Config& config, bool must_be_here) {
  if (!must_be_here && !RelayIsHere(config.relay)) {
    findings.push_back(Fine("relay", config.relay.address, "runs on another machine: not checked here"));
    return;
  }
  findings.push_back(ProbeOwnFolder("relay journal", config.relay.journal));
  if (RelayIsHere(config.relay)) Append(findings, ProbePorts(config));
  Append(findings, ForeseenForRelay(config.relay));
}

void ExamineNode(Findings& findings, const Config& config, const std::string& name) {
  const NodeConfig& node = config.nodes.at(NodeName(name));
  const bool running = IsServed(node);
  findings.push_back(ProbeOwnFolder(name + " state", node.state));
  for (const auto& [volume, replica] : node.volumes) {
    findings.push_back(ProbeStore(config, NodeName(name), volume));
    findings.push_back(ProbeMount(name + " " + volume.value + " mount", replica, running));
  }
  Append(findings, ForeseenForNode(name, node));
}

Result<Findings> Examine(const Config& config, const CheckOptions& options) {
  const bool everything = options.nodes.empty() && !options.relay;
  Findings findings{Fine("config", config.path, "valid, group " + config.group)};
  Append(findings, ForeseenForGroup(config));
  Append(findings, ProbePrimaries(config));
  if (options.relay || everything) ExamineRelay(findings, config, options.relay);
  if (!options.nodes.empty() || everything) Append(findings, ProbeFuse(config));
  for (const auto& name : options.nodes) {
    HAWSER_TRY(FindNode(config, name));
    ExamineNode(findings, config, name);
  }
  if (everything) {
    for (const auto& [name, node] : config.nodes) ExamineNode(findings, config, name.value);
  }
  Append(findings, ProbeApart(config, Machines::kMany));
  return findings;
}

std::size_t CountOf(const Findings& findings, Level level) {
  return static_cast<std::size_t>(std::count_if(
      findings.begin(), findings.end(), [level](const Finding& finding) { return finding.level == level; }));
}

struct LevelWord {
  const char* word;
  Colour colour;
};

LevelWord WordOf(Level level) {
  switch (level) {
    case Level::kFine:
      return {"OK", Colour::kGood};
    case Level::kWarning:
      return {"warning", Colour::kWarning};
    case Level::kProblem:
      break;
  }
  return {"problem", Colour::kBad};
}

std::string Conclusion(std::size_t problems, std::size_t warnings) {
  const std::string warned = warnings == 0 ? "" : Counted(warnings, "warning");
  if (problems > 0) return Counted(problems, "problem") + (warned.empty() ? "" : ", " + warned) + ".";
  return warned.empty() ? "Everything is there." : "Everything is there; " + warned + ".";
}

// The one command that makes all folders that are missing; empty if that is one at most.
std::string CommandForMissing(const Findings& findings, const Session& session, const CheckOptions& options) {
  const auto missing = std::count_if(findings.begin(), findings.end(),
                                     [](const Finding& finding) { return finding.is_missing; });
  if (missing < 2) return "";
  std::string command = "hawser init";
  if (!session.config_option.empty()) command += " -c " + session.config_option;
  for (const std::string& node : options.nodes) command += " --node " + node;
  return command + (options.relay ? " --relay" : "");
}

void ShowTable(const Findings& findings, const std::string& for_missing) {
  Table table({{"WHAT"}, {"WHERE"}, {"IS"}, {"FOUND"}, {"WHAT TO DO"}}, StdoutHasColour());
  for (const auto& finding : findings) {
    const auto [word, colour] = WordOf(finding.level);
    table.Add({{finding.subject},
               {Printable(finding.place)},
               {word, colour},
               {Printable(finding.detail)},
               {Printable(finding.advice)}});
  }
  fmt::print("{}\n{}\n", table.Text(),
             Conclusion(CountOf(findings, Level::kProblem), CountOf(findings, Level::kWarning)));
  if (!for_missing.empty()) fmt::print("All missing folders at once: {}\n", Printable(for_missing));
}

void ShowJson(const Findings& findings) {
  auto list = Json::array();
  for (const auto& finding : findings) {
    list.push_back({{"what", finding.subject},
                    {"where", Utf8(finding.place)},
                    {"ok", finding.level != Level::kProblem},
                    {"is", WordOf(finding.level).word},
                    {"found", Utf8(finding.detail)},
                    {"todo", Utf8(finding.advice)}});
  }
  const std::size_t problems = CountOf(findings, Level::kProblem);
  PrintJson({{"ok", problems == 0},
             {"problems", problems},
             {"warnings", CountOf(findings, Level::kWarning)},
             {"findings", list}});
}

Result<Exit> RunCheck(const Session& session, const CheckOptions& options) {
  HAWSER_ASSIGN(const Config config, LoadConfig(session));
  HAWSER_ASSIGN(const Findings findings, Examine(config, options));
  if (session.json) {
    ShowJson(findings);
  } else {
    ShowTable(findings, CommandForMissing(findings, session, options));
  }
  return CountOf(findings, Level::kProblem) == 0 ? Exit::kDone : Exit::kNo;
}

}  // namespace

void AddCheck(CLI::App& app, Session& session) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = AddCommand(
      app, session, "check", "Check the config and this machine: is everything there?",
      "  hawser check                  the relay and all nodes of the file\n"
      "  hawser check --node alpha     what the node alpha needs on this machine\n"
      "  hawser check --relay          what the relay needs on this machine\n"
      "\n"
      "Looks only, changes nothing. A warning is about what works, and yet not as one may think; the start\n"
      "says it too. Exit code 1 if there are problems, 2 if the config is wrong.");
  AddJsonOption(*command, session);
  AddRepeatable(*command, "--node", options->nodes, "Only this node (may be repeated)")->type_name("NODE");
  command->add_flag("--relay", options->relay, "Only the relay");
  Handle(command, session, options, RunCheck);
}

}  // namespace hawser::cli
