#include "relay/sequencer.h"

#include <fmt/format.h>

#include "relay/limits.h"

namespace hawser {

namespace {

// The name under which the relay's own records stand in the journal.
constexpr const char* kOwnName = "relay";

bool IsMutation(const Body& body) {
  return std::visit(Overloaded{
                        [](const Write&) { return true; },
                        [](const Truncate&) { return true; },
                        [](const Allocate&) { return true; },
                        [](const Create&) { return true; },
                        [](const Link&) { return true; },
                        [](const Unlink&) { return true; },
                        [](const Rmdir&) { return true; },
                        [](const Rename&) { return true; },
                        [](const SetAttr&) { return true; },
                        [](const SetXattr&) { return true; },
                        [](const RemoveXattr&) { return true; },
                        [](const Promote&) { return false; },
                        [](const Mark&) { return false; },
                    },
                    body);
}

Refusal OldSession(const NodeName& node, std::uint64_t session, std::uint64_t newest) {
  return {
      RefusalCode::kOldSession,
      fmt::format("session {} of node {} has been replaced by session {}: another process serves this node's "
                  "volumes now; end this one",
                  session, node.value, newest)};
}

Refusal UnknownNode(const NodeName& node) {
  return {RefusalCode::kUnknownNode,
          fmt::format(
              "node '{}' is not in the relay's config; use the same config file on every machine and restart "
              "the relay after a change",
              node.value)};
}

}  // namespace

Sequencer::Sequencer(Membership members, SequencerState state)
    : members_(std::move(members)), state_(std::move(state)) {}

std::optional<Refusal> Sequencer::Greet(const Hello& hello) {
  if (!members_.nodes.contains(hello.node)) return UnknownNode(hello.node);
  SessionState& node = state_.nodes[hello.node];
  if (hello.session < node.session) return OldSession(hello.node, hello.session, node.session);
  if (hello.session > node.session) {
    node = SessionState{hello.session, {}};
    std::erase_if(abandoned_,
                  [&](const auto& entry) { return std::get<NodeName>(entry.first) == hello.node; });
  }
  return std::nullopt;
}

Verdict Sequencer::Offer(Record record) {
  if (auto refusal = CheckSession(record)) return *std::move(refusal);
  // Before the role: a record that was accepted stays accepted, whoever is primary now.
  if (auto repetition = FindRepetition(record.origin)) return *std::move(repetition);
  if (auto refusal = CheckRole(record)) return *std::move(refusal);
  pending_lanes_[Lane(record.origin.node, record.origin.session, record.origin.lane)] = pending_.size();
  pending_.push_back(std::move(record));
  return Accepted{pending_.size() - 1};
}

void Sequencer::OfferOwn(Record record) { pending_.push_back(std::move(record)); }

std::optional<Refusal> Sequencer::CheckSession(const Record& record) const {
  const Origin& origin = record.origin;
  if (!members_.nodes.contains(origin.node)) return UnknownNode(origin.node);
  if (!members_.volumes.contains(record.volume))
    return Refusal{
        RefusalCode::kUnknownVolume,
        fmt::format("volume '{}' is not in the relay's config; use the same config file on every machine "
                    "and restart the relay after a change",
                    record.volume.value)};
  if (!IsMutation(record.body))
    return Refusal{RefusalCode::kBadMessage,
                   fmt::format("{} records are the relay's own; node {} may not send them",
                               KindName(record.body), origin.node.value)};
  const auto node = state_.nodes.find(origin.node);
  const std::uint64_t newest = node == state_.nodes.end() ? 0 : node->second.session;
  if (origin.session < newest) return OldSession(origin.node, origin.session, newest);
  if (origin.session > newest || origin.session == 0)
    return Refusal{RefusalCode::kOutOfTurn,
                   fmt::format("session {} of node {} has not said hello to this relay", origin.session,
                               origin.node.value)};
  return std::nullopt;
}

std::optional<Verdict> Sequencer::FindRepetition(const Origin& origin) const {
  std::uint64_t last = 0;
  if (const auto waiting = pending_lanes_.find(Lane(origin.node, origin.session, origin.lane));
      waiting != pending_lanes_.end()) {
    last = pending_[waiting->second].origin.number;
    if (origin.number == last) return AlreadyPending{waiting->second};
    return Refusal{RefusalCode::kOutOfTurn,
                   fmt::format("lane {} of node {} sent number {} before number {} was answered", origin.lane,
                               origin.node.value, origin.number, last)};
  }
  const SessionState& session = state_.nodes.at(origin.node);
  if (const auto lane = session.lanes.find(origin.lane); lane != session.lanes.end()) {
    last = lane->second.number;
    if (origin.number == last) {
      Ack ack = lane->second.ack;
      ack.repeated = true;
      return Repeated{std::move(ack)};
    }
  } else if (session.lanes.size() >= kMaxLanes) {
    return Refusal{RefusalCode::kOutOfTurn,
                   fmt::format("node {} uses more than {} lanes", origin.node.value, kMaxLanes)};
  }
  const auto abandoned = abandoned_.find(Lane(origin.node, origin.session, origin.lane));
  if (abandoned != abandoned_.end() && origin.number <= abandoned->second)
    return Refusal{
        RefusalCode::kJournalFull,
        fmt::format("number {} of lane {} of node {} was refused, since the relay's disk had no room",
                    origin.number, origin.lane, origin.node.value)};
  if (origin.number <= last)
    return Refusal{RefusalCode::kOutOfTurn, fmt::format("lane {} of node {} sent number {} after number {}",
                                                        origin.lane, origin.node.value, origin.number, last)};
  return std::nullopt;
}

std::optional<Refusal> Sequencer::CheckRole(const Record& record) const {
  const auto found = state_.volumes.find(record.volume);
  const VolumeState volume = found == state_.volumes.end() ? VolumeState{} : found->second;
  if (record.generation < volume.generation)
    return Refusal{
        RefusalCode::kFenced,
        fmt::format("volume {} is in generation {} with primary {}; node {} wrote in generation {} and has "
                    "to continue as a secondary",
                    record.volume.value, volume.generation.value, volume.primary.value,
                    record.origin.node.value, record.generation.value)};
  if (record.origin.node != volume.primary || record.generation != volume.generation)
    return Refusal{RefusalCode::kNotPrimary,
                   fmt::format("node {} is not the primary of volume {} in generation {}: that is node {} in "
                               "generation {}",
                               record.origin.node.value, record.volume.value, record.generation.value,
                               volume.primary.value, volume.generation.value)};
  return std::nullopt;
}

std::vector<Ack> Sequencer::Commit(const Progress& after) {
  std::vector<Ack> acks;
  acks.reserve(pending_.size());
  const std::uint64_t first = after.position.sequence.value - pending_.size() + 1;
  for (const Record& record : pending_) {
    acks.push_back({Sequence(first + acks.size()), after, false});
    Enter(record, acks.back());
  }
  state_.head = after;
  pending_.clear();
  pending_lanes_.clear();
  return acks;
}

void Sequencer::Abandon() {
  for (const auto& [lane, place] : pending_lanes_) abandoned_[lane] = pending_[place].origin.number;
  pending_.clear();
  pending_lanes_.clear();
}

void Sequencer::Replay(std::span<const Record> records, const Progress& after) {
  std::uint64_t sequence = after.position.sequence.value - records.size();
  for (const Record& record : records) {
    // A session whose hello was not recorded shows itself by its records.
    if (IsMutation(record.body)) {
      SessionState& node = state_.nodes[record.origin.node];
      if (record.origin.session > node.session) node = SessionState{record.origin.session, {}};
      // So does a primary whose Promote record has been dropped.
      VolumeState& volume = state_.volumes[record.volume];
      if (record.generation > volume.generation) volume = {record.origin.node, record.generation};
    }
    Enter(record, {Sequence(++sequence), after, false});
  }
  state_.head = after;
}

void Sequencer::Enter(const Record& record, const Ack& ack) {
  if (const auto* promote = std::get_if<Promote>(&record.body))
    state_.volumes[record.volume] = {promote->node, record.generation};
  if (!IsMutation(record.body)) return;
  SessionState& node = state_.nodes[record.origin.node];
  // A hello may have ended the session while its last records were in the group.
  if (node.session == record.origin.session) node.lanes[record.origin.lane] = {record.origin.number, ack};
}

std::vector<Record> Sequencer::MissingPrimaries(const std::map<VolumeName, NodeName>& first) const {
  std::vector<Record> records;
  for (const auto& [volume, node] : first) {
    if (state_.volumes.contains(volume)) continue;
    records.push_back({volume, Generation(1), Origin{NodeName(kOwnName)}, Promote{node}});
  }
  return records;
}

std::vector<VolumeFact> Sequencer::VolumeFacts() const {
  std::vector<VolumeFact> facts;
  for (const auto& [volume, state] : state_.volumes) {
    if (members_.volumes.contains(volume)) facts.push_back({volume, state.primary, state.generation});
  }
  return facts;
}

}  // namespace hawser
