#include "relay/status.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace hawser {

namespace {

using Json = nlohmann::ordered_json;

Json SequenceOf(const std::optional<Progress>& progress) {
  return progress ? Json(progress->position.sequence.value) : Json();
}

Json ToJson(const std::optional<Lag>& lag) {
  if (!lag) return {{"records", nullptr}, {"bytes", nullptr}, {"seconds", nullptr}};
  return {{"records", lag->records},
          {"bytes", lag->bytes},
          {"seconds", std::chrono::duration<double>(lag->time).count()}};
}

// What nodes and volumes of nodes have in common. What isn't known is null.
template <class Status>
Json Common(const Status& status) {
  Json json;
  json["role"] = TextOf(status.role);
  json["state"] = TextOf(status.state);
  if constexpr (requires { status.received; }) json["received"] = SequenceOf(status.received);
  json["applied"] = SequenceOf(status.applied);
  json["checkpoint"] = SequenceOf(status.checkpoint);
  json["lag"] = ToJson(status.lag);
  // That there are none isn't known until a verify has been made.
  json["differences"] = status.differences > 0 ? Json(status.differences) : Json();
  if constexpr (requires { status.differing; }) {
    if (!status.differing.empty()) json["differing"] = status.differing;
  }
  if (status.unanswered > 0) json["unanswered"] = status.unanswered;
  if (!status.problem.empty()) json["problem"] = status.problem;
  return json;
}

Json ToJson(const NodeStatus& node) {
  Json json = Common(node);
  json["volumes"] = Json::object();
  for (const ReplicaStatus& replica : node.volumes) json["volumes"][replica.volume.value] = Common(replica);
  return json;
}

// What a node said last, before it was lost, may be that it is primary. Who is that the journal says.
NodeStatus WithoutFormerRoles(NodeStatus node, const JournalFacts& facts) {
  for (ReplicaStatus& replica : node.volumes) {
    const bool is_primary = std::ranges::any_of(facts.volumes, [&](const VolumeFact& fact) {
      return fact.volume == replica.volume && fact.primary == node.node;
    });
    if (!is_primary) replica.role = ReplicaRole::kSecondary;
    const bool first = &replica == &node.volumes.front();
    node.role = first ? replica.role : Together(node.role, replica.role);
  }
  return node;
}

// A group that isn't known is null.
Json ToJson(const std::vector<JournalFault>& damage) {
  const auto group = [](Group number) { return number == Group{} ? Json() : Json(number.value); };
  Json json = Json::array();
  for (const JournalFault& fault : damage)
    json.push_back({{"segment", fault.segment},
                    {"offset", fault.offset},
                    {"what", fault.what},
                    {"first_group", group(fault.first)},
                    {"last_group", group(fault.last)}});
  return json;
}

Json ToJson(const FailoverStatus& failover) {
  Json json = {{"mode", TextOf(failover.rules.mode)},
               {"detect_seconds", std::chrono::duration<double>(failover.rules.detect).count()},
               {"lost", Json::array()}};
  for (const LostPrimary& lost : failover.lost) {
    Json entry = {{"primary", lost.primary.value}, {"volumes", Json::array()}, {"why", lost.why}};
    for (const VolumeName& volume : lost.volumes) entry["volumes"].push_back(volume.value);
    entry["candidate"] = lost.candidate ? Json(lost.candidate->value) : Json();
    entry["consequence"] = ConsequenceOf(lost, failover.rules.mode);
    json["lost"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace

std::string StatusJson(const std::string& group, const RelayStatus& relay, const JournalFacts& facts,
                       const std::vector<NodeStatus>& nodes, const FailoverStatus& failover) {
  Json json;
  json["group"] = group;
  json["relay"] = {{"state", TextOf(relay.state)},
                   {"head", facts.head.position.sequence.value},
                   {"groups", facts.head.position.group.value},
                   {"journal_bytes", relay.journal_bytes},
                   {"oldest", facts.oldest.position.sequence.value},
                   {"journal", facts.head.position.journal.Hex()},
                   {"refused", relay.refused}};
  if (!relay.problem.empty()) json["relay"]["problem"] = relay.problem;
  if (!relay.damage.empty()) json["relay"]["damage"] = ToJson(relay.damage);
  json["volumes"] = Json::object();
  for (const VolumeFact& fact : facts.volumes)
    json["volumes"][fact.volume.value] = {{"primary", fact.primary.value},
                                          {"generation", fact.generation.value}};
  json["failover"] = ToJson(failover);
  json["nodes"] = Json::object();
  for (const NodeStatus& node : nodes)
    json["nodes"][node.node.value] = ToJson(WithoutFormerRoles(node, facts));
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hawser
