#include "cli/local_status.h"

#include <algorithm>

#include "cli/output.h"
#include "cli/record_json.h"

namespace hawser::cli {
namespace {

// Empty for a node without volumes.
std::string_view RoleOf(const LocalNode& node) {
  if (node.volumes.empty()) return "";
  ReplicaRole role = node.volumes.front().role;
  for (const LocalVolume& volume : node.volumes) role = Together(role, volume.role);
  return TextOf(role);
}

std::string ProblemOf(const LocalNode& node) {
  std::string problem = node.problem;
  for (const LocalVolume& volume : node.volumes) {
    if (volume.problem.empty()) continue;
    problem += (problem.empty() ? "" : "; ") + volume.name + ": " + volume.problem;
  }
  return problem;
}

// The volume that is the furthest back; nullopt if one has no checkpoint.
std::optional<std::uint64_t> CheckpointOf(const LocalNode& node) {
  std::optional<std::uint64_t> lowest;
  for (const LocalVolume& volume : node.volumes) {
    if (!volume.checkpoint) return std::nullopt;
    const std::uint64_t sequence = volume.checkpoint->progress.position.sequence.value;
    lowest = std::min(lowest.value_or(sequence), sequence);
  }
  return lowest;
}

Json NumberOr(const std::optional<std::uint64_t>& number) { return number ? Json(*number) : Json(); }

Json ToJson(const LocalNode& node) {
  Json json{{"read_from", Utf8(node.folder)},
            {"running", node.running},
            {"role", RoleOf(node)},
            {"state", TextOf(node.running ? ReplicaState::kUnknown : ReplicaState::kDisconnected)},
            {"received", nullptr},
            {"head_heard", nullptr},
            {"heard", nullptr},
            {"missing", nullptr}};
  if (node.account) {
    json["received"] = node.account->received.position.sequence.value;
    json["head_heard"] = node.account->newest.position.sequence.value;
    json["missing"] = NumberOr(node.account->missing);
    if (node.account->heard) json["heard"] = IsoTime(*node.account->heard);
  }
  json["checkpoint"] = NumberOr(CheckpointOf(node));
  const std::string problem = ProblemOf(node);
  if (!problem.empty()) json["problem"] = Utf8(problem);
  json["volumes"] = Json::object();
  for (const LocalVolume& volume : node.volumes) {
    Json& shown = json["volumes"][volume.name];
    shown = {{"role", TextOf(volume.role)}, {"checkpoint", nullptr}};
    if (volume.checkpoint) {
      shown["checkpoint"] = volume.checkpoint->progress.position.sequence.value;
      shown["clean"] = volume.checkpoint->clean;
    }
    if (!volume.problem.empty()) shown["problem"] = Utf8(volume.problem);
  }
  return json;
}

}  // namespace

Json LocalStatusJson(const Config& config, const std::vector<LocalNode>& nodes,
                     const std::string& relay_problem) {
  Json json{
      {"error", relay_problem},
      {"group", config.group},
      {"relay", {{"state", TextOf(RelayState::kUnreachable)}, {"problem", relay_problem}, {"head", nullptr}}},
      {"nodes", Json::object()}};
  for (const LocalNode& node : nodes) json["nodes"][node.name] = ToJson(node);
  return json;
}

std::string LocalStatusTable(const std::vector<LocalNode>& nodes, bool with_colour) {
  Table table({{"NODE"},
               {"ROLE"},
               {"RUNS"},
               {"CHECKPOINT", true},
               {"RECEIVED", true},
               {"HEAD HEARD OF", true},
               {"KNOWN MISSING", true},
               {"RELAY'S LAST WORD"},
               {"PROBLEM"}},
              with_colour);
  for (const LocalNode& node : nodes) {
    const auto& account = node.account;
    const bool lacks = account && account->missing.value_or(1) > 0;
    table.Add({{node.name},
               {std::string(RoleOf(node))},
               {node.running ? "yes" : "no", node.running ? Colour::kGood : Colour::kBad},
               {Count(CheckpointOf(node))},
               {account ? Grouped(account->received.position.sequence.value) : "-"},
               {account ? Grouped(account->newest.position.sequence.value) : "-"},
               {account ? Count(account->missing) : "-", lacks ? Colour::kBad : Colour::kPlain},
               {account && account->heard ? IsoTime(*account->heard).substr(0, 19) + "Z" : "-"},
               {Printable(ProblemOf(node)), Colour::kBad}});
  }
  return "read from the state folders on this machine, since this group's relay does not answer\n\n" +
         table.Text() +
         "\nKnown missing: records up to the newest head that the node heard of. What the relay took after "
         "its\n"
         "last word, nobody here knows of.\n";
}

}  // namespace hawser::cli
