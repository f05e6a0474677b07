#include "cli/status_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/config/primaries.h"

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

// `problem`, or what `differences` counts.
std::string ProblemOf(const Json& replica) {
  const std::string problem = StringOf(Member(replica, "problem"), "");
  if (!problem.empty() || NumberOf(Member(replica, "differences")).value_or(0) == 0) return problem;
  return "differs from the primary";
}

ReplicaView ReadReplica(const std::string& name, const Json& replica) {
  const Json& lag = Member(replica, "lag");
  ReplicaView view;
  view.name = name;
  view.role = ParseReplicaRole(StringOf(Member(replica, "role"), ""));
  view.state = ParseReplicaState(StringOf(Member(replica, "state"), "")).value_or(ReplicaState::kUnknown);
  view.applied = NumberOf(Member(replica, "applied"));
  view.lag_records = NumberOf(Member(lag, "records"));
  view.lag_bytes = NumberOf(Member(lag, "bytes"));
  view.lag_seconds = SecondsOf(Member(lag, "seconds"));
  view.problem = ProblemOf(replica);
  view.unanswered = NumberOf(Member(replica, "unanswered")).value_or(0);
  return view;
}

void AddNames(std::set<std::string>& names, const Json& object) {
  if (!object.is_object()) return;
  for (const auto& member : object.items()) names.insert(member.key());
}

NodeView ReadNode(const std::string& name, const Json& node, const Config& config) {
  NodeView view{ReadReplica(name, node), NumberOf(Member(node, "received")), {}};
  const Json& volumes = Member(node, "volumes");
  std::set<std::string> names;
  AddNames(names, volumes);
  if (const auto known = config.nodes.find(NodeName(name)); known != config.nodes.end()) {
    for (const auto& held : known->second.volumes) names.insert(held.first.value);
  }
  for (const auto& volume : names) {
    view.volumes.push_back(ReadReplica(volume, Member(volumes, volume.c_str())));
    view.state = Worse(view.state, view.volumes.back().state);
  }
  return view;
}

// Who is primary where the config says otherwise: the config's word is for the beginning only.
std::vector<std::string> NotesOf(const Json& volumes, const Config& config) {
  std::vector<std::string> notes;
  for (const auto& [name, volume] : config.volumes) {
    const std::string primary = StringOf(Member(Member(volumes, name.value.c_str()), "primary"), "");
    if (primary.empty()) continue;
    if (auto note = PrimaryDiffers(config, name, NodeName(primary))) notes.push_back(*std::move(note));
  }
  return notes;
}

// What the relay does about primaries that are lost.
void AddLost(const Json& failover, std::vector<std::string>& notes) {
  const Json& lost = Member(failover, "lost");
  if (!lost.is_array()) return;
  for (const Json& entry : lost)
    notes.push_back(fmt::format("primary {} is lost, {}: {}", StringOf(Member(entry, "primary"), "?"),
                                StringOf(Member(entry, "why"), "?"),
                                StringOf(Member(entry, "consequence"), "?")));
}

std::vector<std::string> WithoutPrimary(const Json& volumes, const Config& config) {
  std::vector<std::string> names;
  for (const auto& [name, volume] : config.volumes) {
    const std::string primary = StringOf(Member(Member(volumes, name.value.c_str()), "primary"), "");
    if (!primary.empty() && !config.nodes.contains(NodeName(primary))) names.push_back(name.value);
  }
  return names;
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

  view.notes = NotesOf(Member(status, "volumes"), config);
  AddLost(Member(status, "failover"), view.notes);
  view.without_primary = WithoutPrimary(Member(status, "volumes"), config);

  std::set<std::string> names;
  AddNames(names, nodes);
  for (const auto& node : config.nodes) names.insert(node.first.value);
  for (const auto& name : names) view.nodes.push_back(ReadNode(name, Member(nodes, name.c_str()), config));
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
