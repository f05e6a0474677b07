// What a promotion rests on, made up: alpha is the primary of docs, bravo of mail; charlie has copies of
// both, alpha one of mail. All report, and have applied all there is, up to record 100.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "relay/promotion_facts.h"

namespace hawser {

inline const NodeName kAlpha("alpha");
inline const NodeName kBravo("bravo");
inline const NodeName kCharlie("charlie");
inline const VolumeName kDocs("docs");
inline const VolumeName kMail("mail");

class PromotionFactsTest : public testing::Test {
 protected:
  PromotionFactsTest() {
    facts_.now = Deadline() + std::chrono::hours(1);
    SetHead(100);
    facts_.journal.volumes = {{kDocs, kAlpha, Generation(1)}, {kMail, kBravo, Generation(1)}};
    facts_.made = {{kDocs, Promote{kAlpha}}, {kMail, Promote{kBravo}}};
    for (const NodeName& node : {kAlpha, kBravo, kCharlie}) {
      NodeStatus status;
      status.node = node;
      status.heard = facts_.now;
      facts_.nodes.push_back(status);
    }
    AddReplica(kAlpha, kDocs);
    AddReplica(kAlpha, kMail);
    AddReplica(kBravo, kMail);
    AddReplica(kCharlie, kDocs);
    AddReplica(kCharlie, kMail);
    MakePrimary(kAlpha, kDocs, 1);
    MakePrimary(kBravo, kMail, 1);
  }

  void SetHead(std::uint64_t sequence) { facts_.journal.head.position.sequence = Sequence(sequence); }

  NodeStatus& Node(const NodeName& name) {
    for (NodeStatus& node : facts_.nodes) {
      if (node.node == name) return node;
    }
    throw std::out_of_range(name.value);
  }
  ReplicaStatus& Replica(const NodeName& name, const VolumeName& volume) {
    for (ReplicaStatus& replica : Node(name).volumes) {
      if (replica.volume == volume) return replica;
    }
    throw std::out_of_range(volume.value);
  }
  void AddReplica(const NodeName& node, const VolumeName& volume) {
    ReplicaStatus replica;
    replica.volume = volume;
    replica.state = ReplicaState::kLive;
    replica.applied = facts_.journal.head;
    Node(node).volumes.push_back(replica);
  }
  void MakePrimary(const NodeName& node, const VolumeName& volume, std::uint64_t generation) {
    Replica(node, volume).role = ReplicaRole::kPrimary;
    Replica(node, volume).generation = Generation(generation);
  }
  void Apply(const NodeName& node, const VolumeName& volume, std::uint64_t sequence) {
    Replica(node, volume).applied->position.sequence = Sequence(sequence);
  }
  // Time passes, in which all report but those that are silent; `look` after each step of it.
  template <class Look>
  void Pass(SteadyClock::duration time, Look look) {
    for (const Deadline end = facts_.now + time; facts_.now < end;) {
      facts_.now = std::min(end, facts_.now + std::chrono::milliseconds(100));
      for (NodeStatus& node : facts_.nodes) {
        if (!silent_.contains(node.node)) node.heard = facts_.now;
      }
      look();
    }
  }
  void GoSilent(const NodeName& node) { silent_.insert(node); }
  void Return(const NodeName& node) { silent_.erase(node); }

  PromotionFacts facts_;
  std::set<NodeName> silent_;
};

}  // namespace hawser
