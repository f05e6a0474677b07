#include "relay/node_news.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawser {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ReplicaStatus Replica(const char* volume, ReplicaState state, const char* problem = "") {
  ReplicaStatus status;
  status.volume = VolumeName(volume);
  status.state = state;
  status.problem = problem;
  return status;
}

class NodeNewsTest : public testing::Test {
 protected:
  std::vector<std::string> Note(std::vector<ReplicaStatus> replicas) {
    NodeStatus node;
    node.node = NodeName("charlie");
    node.volumes = std::move(replicas);
    std::vector<std::string> texts;
    for (const auto& item : news_.Note({node})) texts.push_back((item.bad ? "bad " : "good ") + item.text);
    return texts;
  }

  NodeNews news_;
};

TEST_F(NodeNewsTest, SaysEachChangeOnce) {
  EXPECT_THAT(Note({Replica("docs", ReplicaState::kUnknown)}), IsEmpty());
  EXPECT_THAT(Note({Replica("docs", ReplicaState::kLive)}), ElementsAre("good node charlie: live"));
  EXPECT_THAT(Note({Replica("docs", ReplicaState::kLive)}), IsEmpty());
  EXPECT_THAT(Note({Replica("docs", ReplicaState::kDisconnected, "cut off")}),
              ElementsAre("bad node charlie: disconnected: cut off"));
  EXPECT_THAT(Note({Replica("docs", ReplicaState::kDisconnected, "cut off for longer")}), IsEmpty());
  EXPECT_THAT(Note({Replica("docs", ReplicaState::kCatchingUp)}),
              ElementsAre("good node charlie: catching_up"));
  EXPECT_THAT(Note({Replica("docs", ReplicaState::kLive)}), IsEmpty());
}

TEST_F(NodeNewsTest, VolumesOfWhichTheSameIsToBeSaidShareALine) {
  EXPECT_THAT(Note({Replica("docs", ReplicaState::kLive), Replica("mail", ReplicaState::kLive),
                    Replica("web", ReplicaState::kStalled, "full")}),
              ElementsAre("good node charlie, docs, mail: live", "bad node charlie, web: stalled: full"));
}

}  // namespace
}  // namespace hawser
