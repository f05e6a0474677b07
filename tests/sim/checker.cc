#include "tests/sim/checker.h"

#include "common/record/codec.h"
#include "common/record/kinds.h"

namespace hawser::sim {

namespace {

// Files and names that a record changes; two records of one group must have none in common.
std::set<std::string> TouchesOf(const Record& record) {
  std::set<std::string> touches;
  const auto file = [&](FileId id) {
    touches.insert(fmt::format("{} id {:x}", record.volume.value, id.value));
  };
  const auto name = [&](const StorePath& path) {
    touches.insert(fmt::format("{} '{}'", record.volume.value, path.text()));
  };
  ForEachFileId(record.body, file);
  if (EffectOf(record.body) == TreeEffect::kMakesName || TakesNames(record.body))
    ForEachPath(record.body, name);
  return touches;
}

}  // namespace

const Checker::GroupInfo* Checker::Find(Group group) const {
  if (group.value == 0 || group.value > groups_.size()) return nullptr;
  return &groups_[group.value - 1];
}

const Tree* Checker::TreeAfter(const VolumeName& volume, Group group) const {
  static const Tree kEmpty;
  if (group.value == 0) return &kEmpty;
  const GroupInfo* info = Find(group);
  if (info == nullptr) return nullptr;
  const auto tree = info->trees.find(volume);
  return tree == info->trees.end() ? &kEmpty : tree->second.get();
}

// ---- calls

std::uint64_t Checker::Made(const VolumeName& volume, const NodeName& node, Generation generation) {
  const std::uint64_t call = next_call_++;
  calls_[call] = {volume, node, generation, returned_, std::nullopt, {}, 0, false, false};
  return call;
}

void Checker::Answers(std::uint64_t call, const Ack& ack) {
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;
  if (ack.group.position.group > durable_.position.group) {
    return world_.Fail(
        kI1, fmt::format("call {} is answered with group {}, but only group {} is on the relay's disk", call,
                         ack.group.position.group.value, durable_.position.group.value));
  }
  const Call& it = found->second;
  if (it.place != ack.sequence || it.group != ack.group.position.group) {
    world_.Fail(
        kI5, fmt::format(
                 "call {} is answered with sequence {} (group {}), where the journal holds another record; "
                 "its own is {}",
                 call, ack.sequence.value, ack.group.position.group.value,
                 it.place ? fmt::format("sequence {} (group {})", it.place->value, it.group.value)
                          : std::string("nowhere")));
  }
}

void Checker::Divided(std::uint64_t before, std::uint64_t after) {
  if (const auto call = calls_.find(after); call != calls_.end()) call->second.divided_from = before;
}

void Checker::Acknowledged(std::uint64_t call, const Ack& ack) {
  Answers(call, ack);
  Call& it = calls_.at(call);
  it.acknowledged = true;
  ++world_.counts().calls;
  returned_ = std::max(returned_, ack.group.position.group);
}

void Checker::Refused(std::uint64_t call, const Refusal& why) {
  Call& it = calls_.at(call);
  it.refused = true;
  if (it.place)
    world_.Fail(
        kI5, fmt::format("call {} failed for its caller ({}), but sequence {} of the journal is its record",
                         call, why.text, it.place->value));
  // A node's numbers go out in order and none is left out, whatever the network does: they are taken so. But
  // a relay that has been restarted doesn't know which ones there was no room for.
  if (why.code == RefusalCode::kOutOfTurn && !it.had_no_room)
    world_.Fail(kI2, fmt::format("call {} failed for its caller, for it was overtaken: {}", call, why.text));
}

// ---- the relay's journal

void Checker::Appended(const Frame& frame) {
  const Progress after = frame.header.progress();
  if (frame.header.group.value != groups_.size() + 1) {
    return world_.Fail(kI2, fmt::format("the relay appends group {} where {} comes next",
                                        frame.header.group.value, groups_.size() + 1));
  }
  GroupInfo group;
  if (!groups_.empty()) {
    group.trees = groups_.back().trees;
    group.primaries = groups_.back().primaries;
  }
  group.after = after;
  const GroupInfo before = group;
  Sequence sequence = frame.header.first_sequence;
  for (const hawser::Entry& entry : frame.entries) {
    const auto record = DecodeRecord(entry.header, entry.payload);
    if (!record) return world_.Fail(kI7, "the journal holds what isn't a record: " + record.error().message);
    CheckRecord(before, *record, group);
    const std::uint64_t call = CallOf(*record, entry.payload);
    group.entries.push_back({call, record->volume, TouchesOf(*record)});
    if (call != 0) CheckPlace(call, sequence, group);
    CheckFileId(*record, call);
    sequence = Next(sequence);
    auto tree = std::make_shared<Tree>();
    if (const auto last = group.trees.find(record->volume); last != group.trees.end()) *tree = *last->second;
    const auto effects = tree->Effects(*record, entry.payload);
    if (!effects) {
      return world_.Fail(kI3, fmt::format("group {} can't be applied to the state before it: {}",
                                          frame.header.group.value, effects.error().message));
    }
    for (const Effect& effect : *effects) tree->Do(effect);
    group.trees[record->volume] = std::move(tree);
  }
  CheckIndependent(group);
  world_.Note("journal: group {} appended, {} records, sequence {}", frame.header.group.value,
              frame.header.count, frame.header.first_sequence.value);
  groups_.push_back(std::move(group));
}

// I6: the record is of its volume's primary, in its generation.
void Checker::CheckRecord(const GroupInfo& before, const Record& record, GroupInfo& now) {
  if (std::holds_alternative<NodeSession>(record.body)) return;
  const auto known = before.primaries.find(record.volume);
  const Generation generation = known == before.primaries.end() ? Generation(0) : known->second.second;
  if (const auto* promote = std::get_if<Promote>(&record.body)) {
    // What is known already may be said again.
    if (known != before.primaries.end() && known->second == std::pair(promote->node, record.generation))
      return;
    now.primaries[record.volume] = {promote->node, record.generation};
    if (record.generation <= generation)
      world_.Fail(kI6, fmt::format("volume {} is given generation {} after {}", record.volume.value,
                                   record.generation.value, generation.value));
    return;
  }
  if (record.generation != generation || record.origin.node != known->second.first) {
    world_.Fail(kI6,
                fmt::format("a record of node {} in generation {} enters the journal, but volume {} is in "
                            "generation {}",
                            record.origin.node.value, record.generation.value, record.volume.value,
                            generation.value));
  }
}

// A file id is given once, whatever was lost.
void Checker::CheckFileId(const Record& record, std::uint64_t call) {
  const auto* create = std::get_if<Create>(&record.body);
  if (create == nullptr || create->file == kNoFileId) return;
  const auto [creator, is_new] = creators_.emplace(std::pair(record.volume, create->file), call);
  if (is_new || creator->second == call) return;
  world_.Fail(kI7, fmt::format("calls {} and {} give their files in {} the same id {}", creator->second, call,
                               record.volume.value, create->file.value));
}

void Checker::CheckPlace(std::uint64_t call, Sequence sequence, const GroupInfo& group) {
  const auto found = calls_.find(call);
  if (found == calls_.end())
    return world_.Fail(kI7, fmt::format("the journal holds call {}, which nobody made", call));
  Call& it = found->second;
  if (it.place) {
    return world_.Fail(kI5, fmt::format("call {} is in the journal twice: at sequence {} and at {}", call,
                                        it.place->value, sequence.value));
  }
  if (it.refused) {
    return world_.Fail(kI5,
                       fmt::format("call {} failed for its caller, and now its record enters the journal at "
                                   "sequence {}",
                                   call, sequence.value));
  }
  const auto& primary = group.primaries.at(it.volume);
  if (it.node != primary.first || it.generation != primary.second) {
    return world_.Fail(
        kI6,
        fmt::format("call {} was made on {} in generation {}, and enters the journal when {} is "
                    "primary in generation {}",
                    call, it.node.value, it.generation.value, primary.first.value, primary.second.value));
  }
  // Sequences follow groups, so that this says it of both.
  if (group.after.position.group <= it.after) {
    return world_.Fail(
        kI2, fmt::format("call {} was made when a call in group {} had returned, but is in group {}", call,
                         it.after.value, group.after.position.group.value));
  }
  it.place = sequence;
  it.group = group.after.position.group;
  const auto before = calls_.find(it.divided_from);
  if (before != calls_.end() && before->second.place && before->second.group >= it.group)
    world_.Fail(kI3, fmt::format("calls {} and {} are both in group {}, though a cut lies between them",
                                 it.divided_from, call, it.group.value));
}

void Checker::CheckIndependent(const GroupInfo& group) {
  std::map<std::string, std::uint64_t> seen;
  for (const Entry& entry : group.entries) {
    for (const std::string& touched : entry.touches) {
      const auto [first, is_new] = seen.emplace(touched, entry.call);
      if (is_new) continue;
      return world_.Fail(kI3, fmt::format("calls {} and {} of group {} both change {}", first->second,
                                          entry.call, group.after.position.group.value, touched));
    }
  }
}

void Checker::Abandoned(Group group) {
  world_.Note("journal: no room for group {}", group.value);
  for (std::size_t i = group.value - 1; i < groups_.size(); ++i) {
    for (const Entry& entry : groups_[i].entries)
      if (entry.call != 0) calls_.at(entry.call).had_no_room = true;
  }
  Forget(Group(group.value - 1));
}

void Checker::Durable(const Progress& durable) {
  if (durable.position.group > durable_.position.group) durable_ = durable;
}

void Checker::Recovered(const Progress& end, const Progress& oldest) {
  const Group group = end.position.group;
  world_.Note("journal: recovered to group {}, flushed was {}, oldest {}", group.value,
              durable_.position.group.value, oldest.position.group.value);
  if (group < durable_.position.group) {
    return world_.Fail(
        kI1, fmt::format("the restarted relay's journal ends at group {}, but group {} had been flushed",
                         group.value, durable_.position.group.value));
  }
  const GroupInfo* last = Find(group);
  if (group.value != 0 && (last == nullptr || last->after.position != end.position))
    return world_.Fail(
        kI2,
        fmt::format("the restarted relay's journal ends at another group {} than was appended", group.value));
  Forget(group);
  durable_ = end;
}

// What comes after `group` has never been flushed, and is gone.
void Checker::Forget(Group group) {
  while (groups_.size() > group.value) {
    for (const Entry& entry : groups_.back().entries) {
      const auto call = calls_.find(entry.call);
      if (call == calls_.end()) continue;
      if (call->second.acknowledged) {
        ++lost_;
        world_.Fail(kI1, fmt::format("call {} was acknowledged, but its group {} is gone", entry.call,
                                     groups_.back().after.position.group.value));
      }
      call->second.place.reset();
    }
    groups_.pop_back();
  }
}

void Checker::Dropped(const Progress& oldest, Group needed) {
  if (oldest.position.group <= needed) return;
  world_.Fail(kI1,
              fmt::format("the relay has deleted groups up to {}, but a replica would have to redo from {}",
                          oldest.position.group.value, needed.value));
}

void Checker::WouldGiveUp(const std::string& replica, bool may, const std::vector<Group>& others,
                          Group through) {
  if (!may) return world_.Fail(kI7, "the relay would give up " + replica + ", which has not reported yet");
  // A machine that was lost took with it what it had reported.
  const Profile& profile = world_.profile();
  if (profile.lose_state > 0 || profile.twin_every.count() > 0) return;
  if (std::any_of(others.begin(), others.end(), [&](Group at) { return at >= through; })) return;
  world_.Fail(kI1, fmt::format("the relay would give up {} and delete groups up to {}, which no replica has",
                               replica, through.value));
}

void Checker::Published(const Position& position) {
  const GroupInfo* group = Find(position.group);
  if (group == nullptr || position.group > durable_.position.group) {
    return world_.Fail(kI1, fmt::format("group {} is handed out, but only group {} is on the relay's disk",
                                        position.group.value, durable_.position.group.value));
  }
  if (group->after.position != position)
    world_.Fail(kI2,
                fmt::format("another group {} is handed out than the journal holds", position.group.value));
}

// ---- replicas

void Checker::Received(const NodeName& node, const Progress& durable) {
  const Group group = durable.position.group;
  if (group.value == 0) return;
  const GroupInfo* info = Find(group);
  if (info == nullptr || group > durable_.position.group) {
    return world_.Fail(kI2, fmt::format("{} has received group {}, but the relay's disk ends at group {}",
                                        node.value, group.value, durable_.position.group.value));
  }
  if (info->after.position != durable.position)
    world_.Fail(kI2, fmt::format("{} has received another group {} than the relay's journal holds",
                                 node.value, group.value));
}

namespace {

// All but what a copy names as different.
Tree But(const Tree& tree, const Differences& named) {
  std::set<FileId> files;
  std::set<std::string> paths;
  for (const hawser::Difference& entry : named.entries()) {
    paths.insert(entry.path.text());
    files.insert(FileOf(entry.record.body));
    const auto* rename = std::get_if<Rename>(&entry.record.body);
    if (rename != nullptr && rename->replaced) files.insert(*rename->replaced);
  }
  return tree.Without(files, paths);
}

bool IsEqual(const Tree& expected, const Tree& found, const Differences& named) {
  if (expected.Hash() == found.Hash()) return true;
  return !named.empty() && But(expected, named).Hash() == But(found, named).Hash();
}

}  // namespace

void Checker::Shows(const NodeName& node, const VolumeName& volume, const Tree& tree,
                    const Position& position, const Differences& named) {
  const Tree* expected = TreeAfter(volume, position.group);
  if (expected == nullptr) {
    return world_.Fail(kI4, fmt::format("{} shows {} after group {}, which the journal doesn't hold",
                                        node.value, volume.value, position.group.value));
  }
  if (IsEqual(*expected, tree, named)) return;
  world_.Fail(kI4,
              fmt::format("{} shows of {} what is not the state after group {}: {}", node.value, volume.value,
                          position.group.value, Difference(But(*expected, named), But(tree, named))));
}

void Checker::ShowsHead(const NodeName& node, const VolumeName& volume, const Tree& tree,
                        const Differences& named) {
  const Tree* expected = TreeAfter(volume, head().position.group);
  if (IsEqual(*expected, tree, named)) return;
  world_.Fail(kI5, fmt::format("{}'s store of {} is not what the journal says at its end, group {}: {}",
                               node.value, volume.value, head().position.group.value,
                               Difference(But(*expected, named), But(tree, named))));
}

void Checker::Diverged(const NodeName& node, const VolumeName& volume, const std::string& why) {
  world_.Fail(kI7, fmt::format("nobody touched it, but {} says that its copy of {} diverges: {}", node.value,
                               volume.value, why));
}

void Checker::Stands(const NodeName& node, const VolumeName& volume, Group checkpoint, Group applied,
                     Group received) {
  if (checkpoint <= applied && applied <= received && received <= durable_.position.group) return;
  world_.Fail(kI7, fmt::format("{} reports of {}: checkpoint {}, applied {}, received {}, and the head is {}",
                               node.value, volume.value, checkpoint.value, applied.value, received.value,
                               durable_.position.group.value));
}

// ---- the end

void Checker::Finish() {
  for (const auto& [number, call] : calls_) {
    if (!call.acknowledged || call.place) continue;
    ++lost_;
    world_.Fail(kI1, fmt::format("call {} on {} was acknowledged and is not in the journal", number,
                                 call.volume.value));
  }
}

}  // namespace hawser::sim
