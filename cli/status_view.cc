#include "cli/status_view.h"

#include <algorithm>
#include <set>

namespace hawser::cli {
namespace {

const Json& Member(const Json& json, const char* key) {
  static const Json kNothing;
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() ? *found : kNothing;
}

std::string StringOf(const Json& json, const std::string& otherwise) {
  return json.is_string() ? json.get<std::string>() : otherwise;
}

std::optional<std::uint64_t> NumberOf(const Json& json) {
  if (json.is_number_unsigned()) return json.get<std::uint64_t>();
  return std::nullopt;
}

std::optional<double> SecondsOf(const Json& json) {
  if (json.is_number()) return json.get<double>();
  return std::nullopt;
}

// `differences` and `problem` as one sentence.
std::string ProblemOf(const Json& node) {
  std::string problem = StringOf(Member(node, "problem"), "");
  const Json& differences = Member(node, "differences");
  const bool counted = differences.is_number_unsigned() && differences.get<std::uint64_t>() > 0;
  const bool listed = differences.is_array() && !differences.empty();
  if (problem.empty() && differences.is_string()) problem = differences.get<std::string>();
  if (problem.empty() && listed && differences.front().is_string())
    problem = differences.front().get<std::string>();
  if (problem.empty() && (counted || listed)) problem = "differs from the primary";
  return problem;
}

NodeView ReadNode(const std::string& name, const Json& node) {
  const Json& lag = Member(node, "lag");
  NodeView view;
  view.name = name;
  view.role = ParseReplicaRole(StringOf(Member(node, "role"), ""));
  view.state = ParseReplicaState(StringOf(Member(node, "state"), "")).value_or(ReplicaState::kUnknown);
  view.received = NumberOf(Member(node, "received"));
  view.applied = NumberOf(Member(node, "applied"));
  view.lag_records = NumberOf(Member(lag, "records"));
  view.lag_bytes = NumberOf(Member(lag, "bytes"));
  view.lag_seconds = SecondsOf(Member(lag, "seconds"));
  view.problem = ProblemOf(node);
  return view;
}

}  // namespace

const NodeView* StatusView::Find(const std::string& name) const {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [&](const NodeView& node) { return node.name == name; });
  return found == nodes.end() ? nullptr : &*found;
}

StatusView ReadStatus(const Json& status, const Config& config) {
  const Json& relay = Member(status, "relay");
  const Json& nodes = Member(status, "nodes");
  StatusView view;
  view.group = StringOf(Member(status, "group"), config.group);
  view.relay_state = StringOf(Member(relay, "state"), std::string(TextOf(RelayState::kUnknown)));
  view.relay_problem = StringOf(Member(relay, "problem"), "");
  view.head = NumberOf(Member(relay, "head"));
  view.journal_bytes = NumberOf(Member(relay, "journal_bytes"));

  std::set<std::string> names;
  for (const auto& [name, settings] : config.nodes) names.insert(name.value);
  if (nodes.is_object()) {
    for (const auto& node : nodes.items()) names.insert(node.key());
  }
  for (const auto& name : names) view.nodes.push_back(ReadNode(name, Member(nodes, name.c_str())));
  return view;
}

std::vector<std::string> Secondaries(const Json& status, const Config& config) {
  std::vector<std::string> names;
  for (const auto& [name, node] : config.nodes) {
    const std::string& own = name.value;  // clang 14 doesn't capture what is bound by a structure
    const bool is_secondary = std::any_of(node.volumes.begin(), node.volumes.end(), [&](const auto& held) {
      const std::string configured = config.volumes.at(held.first).primary.value;
      const Json& volume = Member(Member(status, "volumes"), held.first.value.c_str());
      return StringOf(Member(volume, "primary"), configured) != own;
    });
    if (is_secondary) names.push_back(own);
  }
  return names;
}

}  // namespace hawser::cli
