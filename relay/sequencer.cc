#include "relay/sequencer.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/record/kinds.h"
#include "relay/refusals.h"

namespace hawser {

namespace {

Refusal UnknownNode(const NodeName& node) {
  return {RefusalCode::kUnknownNode,
          fmt::format(
              "node '{}' is not in the relay's config; use the same config file on every machine and restart "
              "the relay after a change",
              node.value)};
}

std::string Describe(std::uint64_t session, const std::string& where) {
  return fmt::format("session {}{}", session, where.empty() ? "" : " (" + where + ")");
}

Refusal NodeAlive(const NodeName& node, std::uint64_t session, const std::string& where) {
  return {RefusalCode::kNodeAlive,
          fmt::format("another process, on another machine or with another state folder, serves node {}: {}; "
                      "stop that one, give this one a name of its own in the config, or end the other one by "
                      "starting this one with --take-over",
                      node.value, Describe(session, where))};
}

}  // namespace

Sequencer::Sequencer(Membership members, SequencerState state)
    : members_(std::move(members)), state_(std::move(state)) {}

Sequencer::Present& Sequencer::PresentOf(const NodeName& node) {
  const auto [entry, is_new] = present_.try_emplace(node);
  Present& present = entry->second;
  if (const auto known = state_.nodes.find(node); is_new && known != state_.nodes.end()) {
    const SessionState& session = known->second;
    present.session = session.session;
    present.incarnation = session.incarnation;
    present.start = session.start;
    present.journaled = true;
    if (!session.answered.empty()) present.newest = session.answered.rbegin()->first;
  }
  return present;
}

std::uint64_t Sequencer::SessionOf(const NodeName& node) const {
  if (const auto present = present_.find(node); present != present_.end()) return present->second.session;
  const auto known = state_.nodes.find(node);
  return known == state_.nodes.end() ? 0 : known->second.session;
}

// Of all nodes together: file ids are made of it (volume/store/file_ids.h).
std::uint64_t Sequencer::NextSession() const {
  std::uint64_t newest = state_.NewestSession();
  for (const auto& [node, present] : present_) newest = std::max(newest, present.session);
  return newest + 1;
}

Greeting Sequencer::Greet(const Hello& hello, bool alive) {
  if (!members_.nodes.contains(hello.node)) return UnknownNode(hello.node);
  Present& present = PresentOf(hello.node);
  const bool same_start = present.session != 0 && present.start == hello.start && hello.start != 0;
  if (same_start && present.journaled) return GoesOn{};
  const bool same_folder = present.incarnation == hello.incarnation;
  std::string replaces;
  if (!same_start) {
    if (present.session != 0 && !same_folder) {
      if (alive && !hello.take_over) return NodeAlive(hello.node, present.session, present.where);
      replaces = Describe(present.session, present.where);
    }
    const std::uint64_t session = NextSession();
    const auto group = present.group;
    present = Present{};
    present.session = session;
    present.incarnation = hello.incarnation;
    present.start = hello.start;
    present.where = hello.where;
    present.group = group;
  }
  present.journaled = true;
  // Not before what its older sessions have in the formation.
  const Record record{{},
                      {},
                      Origin{hello.node, present.session, 0},
                      NodeSession{.answered = {}, .incarnation = hello.incarnation, .start = hello.start}};
  present.group = present.group.value_or(0);
  return Begins{record, Add(record, *present.group), std::move(replaces)};
}

std::vector<Ruling> Sequencer::Offer(std::span<const Record> records, const Batch& batch) {
  std::vector<Ruling> rulings;
  rulings.reserve(records.size());
  bool cut = false;  // lies before the next record that is taken
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Origin& origin = records[i].origin;
    cut = cut || std::ranges::binary_search(batch.cuts, i);
    // Of a node that is known nothing is refused before it is looked for: what was accepted stays accepted,
    // whatever the config says now.
    if (!members_.nodes.contains(origin.node) && !state_.nodes.contains(origin.node)) {
      rulings.emplace_back(UnknownNode(origin.node));
      continue;
    }
    rulings.push_back(Judge(records[i], PresentOf(origin.node), batch.answered, cut));
    if (!std::holds_alternative<Refusal>(rulings.back())) cut = false;
  }
  return rulings;
}

Ruling Sequencer::Judge(const Record& record, Present& present, std::uint64_t answered, bool cut) {
  const Origin& origin = record.origin;
  if (origin.session < present.session) return OldSession(origin.node, origin.session, present.session);
  if (origin.session > present.session || origin.session == 0)
    return UnknownSession(origin.node, origin.session);
  // First of all: a record that was accepted stays accepted, whoever is primary now.
  if (auto repetition = FindRepetition(origin, present)) return *std::move(repetition);
  if (auto ahead = CheckAhead(origin, present, answered)) return *std::move(ahead);
  auto refusal = CheckRecord(record);
  if (!refusal) refusal = CheckRole(record);
  if (!refusal) refusal = CheckNumber(origin, present);
  present.newest = std::max(present.newest, origin.number);
  if (refusal) return *std::move(refusal);
  // The node's records keep their order. A cut that nothing of the node lies before has nothing to divide.
  const std::size_t group = present.group ? *present.group + (cut ? 1 : 0) : 0;
  const Place place = Add(record, group);
  present.group = group;
  present.pending[origin.number] = place;
  return Accepted{place};
}

std::optional<Ruling> Sequencer::FindRepetition(const Origin& origin, const Present& present) const {
  if (const auto waiting = present.pending.find(origin.number); waiting != present.pending.end())
    return AlreadyPending{waiting->second};
  const auto node = state_.nodes.find(origin.node);
  if (node == state_.nodes.end() || node->second.session != origin.session) return std::nullopt;
  const auto answered = node->second.answered.find(origin.number);
  if (answered == node->second.answered.end()) return std::nullopt;
  Ack ack = answered->second;
  ack.repeated = true;
  return Repeated{std::move(ack)};
}

std::optional<Refusal> Sequencer::CheckRecord(const Record& record) const {
  if (!members_.nodes.contains(record.origin.node)) return UnknownNode(record.origin.node);
  if (IsControl(record.body))
    return Refusal{RefusalCode::kBadMessage,
                   fmt::format("{} records are the relay's own; node {} may not send them",
                               KindName(record.body), record.origin.node.value)};
  if (!members_.volumes.contains(record.volume))
    return Refusal{
        RefusalCode::kUnknownVolume,
        fmt::format("volume '{}' is not in the relay's config; use the same config file on every machine "
                    "and restart the relay after a change",
                    record.volume.value)};
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
                    record.volume.value, volume.generation.value, volume.made.node.value,
                    record.origin.node.value, record.generation.value)};
  if (record.origin.node != volume.made.node || record.generation != volume.generation)
    return Refusal{RefusalCode::kNotPrimary,
                   fmt::format("node {} is not the primary of volume {} in generation {}: that is node {} in "
                               "generation {}",
                               record.origin.node.value, record.volume.value, record.generation.value,
                               volume.made.node.value, volume.generation.value)};
  return std::nullopt;
}

// Numbers that the sender has answers to may be missing here: a refused one is in no journal.
std::optional<Refusal> Sequencer::CheckAhead(const Origin& origin, const Present& present,
                                             std::uint64_t answered) {
  const std::uint64_t last = std::max(present.newest, answered);
  if (origin.number <= last || origin.number == last + 1) return std::nullopt;
  return Refusal{RefusalCode::kAhead,
                 fmt::format("node {} sent number {}, and what it sent after number {} has not come",
                             origin.node.value, origin.number, last)};
}

// A number that is not new and has no answer was refused, or is none of this session's.
std::optional<Refusal> Sequencer::CheckNumber(const Origin& origin, const Present& present) {
  if (origin.number > present.newest) return std::nullopt;
  if (origin.number != 0 && origin.number <= present.abandoned)
    return Refusal{RefusalCode::kJournalFull,
                   fmt::format("number {} of node {} was refused, since the relay's disk had no room",
                               origin.number, origin.node.value)};
  return Refusal{RefusalCode::kOutOfTurn, fmt::format("node {} sent number {} after number {}",
                                                      origin.node.value, origin.number, present.newest)};
}

Place Sequencer::OfferOwn(Record record) {
  return Add(std::move(record), formation_.empty() ? 0 : formation_.size() - 1);
}

Place Sequencer::Add(Record record, std::size_t group) {
  if (group == formation_.size()) formation_.emplace_back();
  formation_[group].push_back(std::move(record));
  return {group, formation_[group].size() - 1};
}

std::vector<std::size_t> Sequencer::pending() const {
  std::vector<std::size_t> sizes;
  sizes.reserve(formation_.size());
  for (const auto& group : formation_) sizes.push_back(group.size());
  return sizes;
}

std::vector<std::vector<Ack>> Sequencer::Commit(std::span<const Progress> after) {
  std::vector<std::vector<Ack>> acks(formation_.size());
  for (std::size_t i = 0; i < formation_.size(); ++i) {
    const std::vector<Record>& group = formation_[i];
    std::uint64_t sequence = after[i].position.sequence.value - group.size();
    acks[i].reserve(group.size());
    for (const Record& record : group) {
      acks[i].push_back({Sequence(++sequence), after[i], false});
      state_.Enter(record, acks[i].back());
    }
    state_.head = after[i];
  }
  EndFormation();
  return acks;
}

void Sequencer::Abandon() {
  for (const auto& group : formation_) {
    for (const Record& record : group) {
      const auto found = present_.find(record.origin.node);
      if (found == present_.end() || found->second.session != record.origin.session) continue;
      Present& present = found->second;
      present.abandoned = std::max(present.abandoned, record.origin.number);
      if (std::holds_alternative<NodeSession>(record.body)) present.journaled = false;
    }
  }
  EndFormation();
}

void Sequencer::EndFormation() {
  formation_.clear();
  for (auto& [node, present] : present_) {
    present.pending.clear();
    present.group.reset();
  }
}

void Sequencer::Replay(std::span<const Record> records, const Progress& after) {
  std::uint64_t sequence = after.position.sequence.value - records.size();
  for (const Record& record : records) state_.Enter(record, {Sequence(++sequence), after, false});
  state_.head = after;
}

std::vector<Record> Sequencer::MissingPrimaries(const std::map<VolumeName, NodeName>& first) const {
  std::vector<Record> records;
  for (const auto& [volume, node] : first) {
    if (state_.volumes.contains(volume)) continue;
    records.push_back({volume, Generation(1), OriginOfTheRelay(), Promote{node}});
  }
  return records;
}

Result<std::vector<Record>> Sequencer::Promotions(const Handover& handover) const {
  std::vector<Record> records;
  for (const Handover::Volume& volume : handover.volumes) {
    const auto found = state_.volumes.find(volume.volume);
    if (found == state_.volumes.end())
      return Error{ESTALE, "volume " + volume.volume.value + " has no primary"};
    const VolumeState& now = found->second;
    if (now.generation != volume.from)
      return Error{ESTALE, fmt::format("volume {} is in generation {} by now, with primary {}",
                                       volume.volume.value, now.generation.value, now.made.node.value)};
    records.push_back({volume.volume, Next(now.generation), OriginOfTheRelay(),
                       Promote{handover.to, now.made.node, state_.head.position.sequence, volume.planned,
                               handover.attempt}});
  }
  return records;
}

std::map<VolumeName, Promote> Sequencer::Made() const {
  std::map<VolumeName, Promote> made;
  for (const auto& [volume, state] : state_.volumes) {
    if (members_.volumes.contains(volume)) made.emplace(volume, state.made);
  }
  return made;
}

std::vector<VolumeFact> Sequencer::VolumeFacts() const {
  std::vector<VolumeFact> facts;
  for (const auto& [volume, state] : state_.volumes) {
    if (!members_.volumes.contains(volume)) continue;
    facts.push_back({volume, state.made.node, state.generation, state.made.acknowledged});
  }
  return facts;
}

}  // namespace hawser
