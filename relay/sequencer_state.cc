#include "relay/sequencer_state.h"

#include <algorithm>

#include "common/net/limits.h"
#include "common/record/kinds.h"

namespace hawser {

namespace {

// Begins `session` of a node, unless it is known, or is older than what is known.
void Begin(SessionState& node, std::uint64_t session) {
  if (session <= node.session) return;
  node = SessionState{};
  node.session = session;
}

void Answer(SessionState& node, std::uint64_t number, const Ack& ack) {
  node.answered.emplace(number, Ack{ack.sequence, ack.group, false});
  while (node.answered.size() > kMaxBatchRecords) node.answered.erase(node.answered.begin());
}

void EnterMutation(SequencerState& state, const Record& record, const Ack& ack) {
  // A session or a primary whose own record is gone from the journal shows itself by its mutations.
  SessionState& node = state.nodes[record.origin.node];
  Begin(node, record.origin.session);
  VolumeState& volume = state.volumes[record.volume];
  if (record.generation > volume.generation)
    volume = {record.generation, {.node = record.origin.node, .acknowledged = ack.sequence}};
  // The last records of a session may stand behind the beginning of the next: both came during one flush.
  if (node.session == record.origin.session) Answer(node, record.origin.number, ack);
}

void EnterPromote(SequencerState& state, const Record& record, const Promote& made) {
  VolumeState& volume = state.volumes[record.volume];
  if (record.generation > volume.generation) volume = {record.generation, made};
}

void EnterSession(SequencerState& state, const Record& record, const NodeSession& fact) {
  SessionState& node = state.nodes[record.origin.node];
  Begin(node, record.origin.session);
  if (node.session != record.origin.session) return;
  node.incarnation = fact.incarnation;
  node.start = fact.start;
  for (const AnsweredRun& run : fact.answered) {
    for (std::uint64_t i = 0; i < run.count && i < kMaxBatchRecords; ++i)
      Answer(node, run.number + i, {Sequence(run.sequence.value + i), run.group, false});
  }
}

NodeSession SessionFact(const SessionState& node) {
  NodeSession fact{.answered = {}, .incarnation = node.incarnation, .start = node.start};
  for (const auto& [number, ack] : node.answered) {
    if (!fact.answered.empty()) {
      AnsweredRun& run = fact.answered.back();
      if (number == run.number + run.count && ack.sequence.value == run.sequence.value + run.count &&
          ack.group == run.group) {
        ++run.count;
        continue;
      }
    }
    fact.answered.push_back({number, 1, ack.sequence, ack.group});
  }
  return fact;
}

}  // namespace

Origin OriginOfTheRelay() { return Origin{NodeName("relay"), 0, 0}; }

void SequencerState::Enter(const Record& record, const Ack& ack) {
  std::visit(Overloaded{
                 [&](const MutationKind auto&) { EnterMutation(*this, record, ack); },
                 [&](const Promote& r) { EnterPromote(*this, record, r); },
                 [&](const NodeSession& r) { EnterSession(*this, record, r); },
                 [](const Mark&) {},
             },
             record.body);
}

std::uint64_t SequencerState::NewestSession() const {
  std::uint64_t newest = 0;
  for (const auto& [name, node] : nodes) newest = std::max(newest, node.session);
  return newest;
}

std::vector<Record> SequencerState::Facts() const {
  std::vector<Record> facts;
  facts.reserve(volumes.size() + nodes.size());
  for (const auto& [name, volume] : volumes)
    facts.push_back({name, volume.generation, OriginOfTheRelay(), volume.made});
  for (const auto& [name, node] : nodes) {
    if (node.session == 0) continue;
    facts.push_back({{}, {}, Origin{name, node.session, 0}, SessionFact(node)});
  }
  return facts;
}

}  // namespace hawser
