// hawser check: is everything there that the config needs on this machine?
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/probe.h"

namespace hawser::cli {
namespace {

struct CheckOptions {
  std::vector<std::string> nodes;
  bool relay = false;
};

void Append(Findings& to, Findings more) { to.insert(to.end(), more.begin(), more.end()); }

void ProbeRelay(Findings& findings, const Config& config) {
  if (!RelayIsHere(config.relay)) {
    findings.push_back(Fine("relay", config.relay.address, "runs on another machine: not checked here"));
    return;
  }
  findings.push_back(ProbeOwnFolder("relay journal", config.relay.journal));
  Append(findings, ProbePorts(config));
}

void ProbeNode(Findings& findings, const std::string& name, const NodeConfig& node) {
  findings.push_back(ProbeOwnFolder(name + " state", node.state));
  for (const auto& [volume, replica] : node.volumes) {
    findings.push_back(ProbeStore(name + " " + volume.value + " store", node, volume));
    findings.push_back(ProbeMount(name + " " + volume.value + " mount", replica));
  }
}

Result<Findings> Examine(const Config& config, const CheckOptions& options) {
  const bool everything = options.nodes.empty() && !options.relay;
  Findings findings{Fine("config", config.path, "valid, group " + config.group)};
  if (options.relay || everything) ProbeRelay(findings, config);
  if (!options.nodes.empty() || everything) Append(findings, ProbeFuse(config));
  for (const auto& name : options.nodes) {
    HAWSER_ASSIGN(const NodeConfig* node, FindNode(config, name));
    ProbeNode(findings, name, *node);
  }
  if (everything) {
    for (const auto& [name, node] : config.nodes) ProbeNode(findings, name.value, node);
  }
  Append(findings, ProbeLinks(config));
  return findings;
}

void ShowTable(const Findings& findings, std::size_t problems) {
  Table table({{"WHAT"}, {"WHERE"}, {"IS"}, {"FOUND"}, {"WHAT TO DO"}}, StdoutHasColour());
  for (const auto& finding : findings) {
    table.Add({{finding.subject},
               {Printable(finding.place)},
               {finding.ok ? "OK" : "problem", finding.ok ? Colour::kGood : Colour::kBad},
               {Printable(finding.detail)},
               {Printable(finding.advice)}});
  }
  fmt::print("{}\n{}\n", table.Text(),
             problems == 0 ? "Everything is there."
                           : fmt::format("{} problem{}.", problems, problems == 1 ? "" : "s"));
}

void ShowJson(const Findings& findings, std::size_t problems) {
  auto list = Json::array();
  for (const auto& finding : findings) {
    list.push_back({{"what", finding.subject},
                    {"where", Utf8(finding.place)},
                    {"ok", finding.ok},
                    {"found", Utf8(finding.detail)},
                    {"todo", Utf8(finding.advice)}});
  }
  PrintJson({{"ok", problems == 0}, {"problems", problems}, {"findings", list}});
}

Result<Exit> RunCheck(const Session& session, const CheckOptions& options) {
  HAWSER_ASSIGN(const Config config, LoadConfig(session));
  HAWSER_ASSIGN(const Findings findings, Examine(config, options));
  const auto problems = static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(), [](const Finding& finding) { return !finding.ok; }));
  if (session.json) {
    ShowJson(findings, problems);
  } else {
    ShowTable(findings, problems);
  }
  return problems == 0 ? Exit::kDone : Exit::kNo;
}

}  // namespace

void AddCheck(CLI::App& app, Session& session) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command =
      AddCommand(app, session, "check", "Check the config and this machine: is everything there?",
                 "  hawser check                  the relay and all nodes of the file\n"
                 "  hawser check --node alpha     what the node alpha needs on this machine\n"
                 "  hawser check --relay          what the relay needs on this machine\n"
                 "\n"
                 "Looks only, changes nothing. Exit code 1 if there are problems, 2 if the config is wrong.");
  AddJsonOption(*command, session);
  command->add_option("--node", options->nodes, "Only this node (may be repeated)")->type_name("NODE");
  command->add_flag("--relay", options->relay, "Only the relay");
  Handle(command, session, options, RunCheck);
}

}  // namespace hawser::cli
