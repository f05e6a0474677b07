#include "relay/promotion_facts.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/net/heartbeat.h"

namespace hawser {

namespace {

// A report is overdue.
constexpr auto kOverdue = 2 * kReportInterval;

template <class Items, class Matches>
auto* FindIf(Items& items, Matches matches) {
  const auto found = std::find_if(items.begin(), items.end(), matches);
  return found == items.end() ? nullptr : &*found;
}

// What a copy in this state needs before it can become primary; empty: nothing.
std::string WhatItNeeds(const NodeName& node, const VolumeName& volume, ReplicaState state) {
  const std::string another = "or promote another node";
  switch (state) {
    case ReplicaState::kLive:
    case ReplicaState::kCatchingUp:
      return "";
    case ReplicaState::kPaused:
      return fmt::format("let it go on with 'hawser resume {}' first", node.value);
    case ReplicaState::kSyncing:
      return "wait until it is whole ('hawser status' shows it), " + another;
    case ReplicaState::kDiffers:
      return fmt::format("put right the paths that 'hawser status' names, {}", another);
    case ReplicaState::kStalled:
      return "remove what is in its way, " + another;
    case ReplicaState::kFenced:
      return fmt::format(
          "it was primary of volume {} until lately: try again once it is a copy ('hawser status'), {}",
          volume.value, another);
    case ReplicaState::kUnmounted:
      return fmt::format("start 'hawser mount {}' again, so that there is a mount to write to, {}",
                         node.value, another);
    case ReplicaState::kNeedsSync:
    case ReplicaState::kDiverged:
      return "it can't be brought to the present state by itself: promote another node";
    case ReplicaState::kDisconnected:
    case ReplicaState::kUnknown:
      return fmt::format("see its log, or start it with 'hawser mount {}', {}", node.value, another);
  }
  return another;
}

// Whether a primary in this state can be asked for anything.
bool IsUsable(ReplicaState state) {
  switch (state) {
    case ReplicaState::kFenced:
    case ReplicaState::kDisconnected:
    case ReplicaState::kNeedsSync:
    case ReplicaState::kDiverged:
    case ReplicaState::kUnknown:
      return false;
    default:
      return true;
  }
}

bool IsActing(const ReplicaStatus& replica, const VolumeFact& volume) {
  return replica.role == ReplicaRole::kPrimary && replica.generation == volume.generation;
}

}  // namespace

const NodeStatus* PromotionFacts::Node(const NodeName& node) const {
  return FindIf(nodes, [&](const NodeStatus& status) { return status.node == node; });
}

const ReplicaStatus* PromotionFacts::Replica(const NodeName& node, const VolumeName& volume) const {
  const NodeStatus* status = Node(node);
  if (status == nullptr) return nullptr;
  return FindIf(status->volumes, [&](const ReplicaStatus& replica) { return replica.volume == volume; });
}

const VolumeFact* PromotionFacts::Volume(const VolumeName& volume) const {
  return FindIf(journal.volumes, [&](const VolumeFact& fact) { return fact.volume == volume; });
}

bool PromotionFacts::IsConnected(const NodeName& node) const {
  const NodeStatus* status = Node(node);
  return status != nullptr && status->heard && now - *status->heard <= kSilentAfter;
}

bool PromotionFacts::IsDoubtful(const NodeName& node) const {
  const NodeStatus* status = Node(node);
  if (status == nullptr) return false;
  return status->heard ? IsConnected(node) && now - *status->heard > kOverdue : early;
}

bool PromotionFacts::PrimaryAnswers(const VolumeFact& volume) const {
  const ReplicaStatus* replica = Replica(volume.primary, volume.volume);
  return replica != nullptr && IsConnected(volume.primary) && IsUsable(replica->state) &&
         IsActing(*replica, volume);
}

bool PromotionFacts::IsPrimaryComingUp(const VolumeFact& volume) const {
  const ReplicaStatus* replica = Replica(volume.primary, volume.volume);
  return replica != nullptr && IsConnected(volume.primary) && IsUsable(replica->state) &&
         !IsActing(*replica, volume);
}

bool PromotionFacts::Serves(const NodeName& node, const VolumeFact& volume) const {
  return volume.primary == node && PrimaryAnswers(volume) && Lacks(node, volume.volume, volume.since) == 0;
}

bool PromotionFacts::IsGivingUp(const NodeName& node, const VolumeName& volume) const {
  const VolumeFact* fact = Volume(volume);
  const ReplicaStatus* replica = Replica(node, volume);
  if (fact == nullptr || replica == nullptr || fact->primary == node || !IsConnected(node)) return false;
  return replica->role == ReplicaRole::kPrimary || replica->state == ReplicaState::kFenced;
}

std::uint64_t PromotionFacts::Lacks(const NodeName& node, const VolumeName& volume, Sequence to) const {
  const ReplicaStatus* replica = Replica(node, volume);
  const std::uint64_t applied =
      replica == nullptr || !replica->applied ? 0 : replica->applied->position.sequence.value;
  return applied >= to.value ? 0 : to.value - applied;
}

std::string PromotionFacts::WhyNot(const NodeName& node, const VolumeName& volume) const {
  const ReplicaStatus* replica = Replica(node, volume);
  if (replica == nullptr)
    return fmt::format("node {} holds no copy of volume {} in the relay's config: promote a node that does",
                       node.value, volume.value);
  const std::string problem = replica->problem.empty() ? "" : ": " + replica->problem;
  if (!IsConnected(node))
    return fmt::format("node {} is not connected{}; {}", node.value, problem,
                       WhatItNeeds(node, volume, ReplicaState::kDisconnected));
  if (const std::string need = WhatItNeeds(node, volume, replica->state); !need.empty())
    return fmt::format("the copy of volume {} on node {} is {}{}; {}", volume.value, node.value,
                       TextOf(replica->state), problem, need);
  if (replica->role == ReplicaRole::kPrimary)
    return fmt::format(
        "node {} still believes to be primary of volume {} in an older generation; try again "
        "once it is a copy ('hawser status')",
        node.value, volume.value);
  return "";
}

}  // namespace hawser
