#include "cli/status_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawser::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

ReplicaView Copy(const std::string& name, ReplicaState state = ReplicaState::kLive, double lag = 0.1) {
  ReplicaView view;
  view.name = name;
  view.role = ReplicaRole::kSecondary;
  view.state = state;
  view.applied = 10;
  view.lag_seconds = lag;
  return view;
}

StatusView With(std::vector<ReplicaView> volumes) {
  StatusView status;
  status.group = "demo";
  status.relay_state = "live";
  status.nodes.emplace_back();
  status.nodes.back().name = "charlie";
  status.nodes.back().volumes = std::move(volumes);
  return status;
}

TEST(StatusCheck, LiveAndNotFarBehindIsWell) {
  ReplicaView primary = Copy("news");
  primary.role = ReplicaRole::kPrimary;
  const Verdict verdict =
      CheckStatus(With({Copy("docs"), Copy("mail", ReplicaState::kCatchingUp, 8.5), primary}), 60s);
  EXPECT_TRUE(verdict.well);
  EXPECT_EQ(verdict.line, "OK: group demo, 1 primary and 2 copies on 1 node, at most 8.5 s behind");
}

TEST(StatusCheck, EachStateButLiveAndCatchingUpIsNot) {
  for (const std::string_view text : ReplicaStateTexts()) {
    const ReplicaState state = *ParseReplicaState(text);
    const Verdict verdict = CheckStatus(With({Copy("docs"), Copy("mail", state)}), 60s);
    EXPECT_EQ(verdict.well, state == ReplicaState::kLive || state == ReplicaState::kCatchingUp) << text;
    if (!verdict.well) {
      EXPECT_THAT(verdict.line, HasSubstr("charlie mail " + std::string(text)));
    }
  }
}

TEST(StatusCheck, AVolumeThatNobodyCanWriteIsNotWell) {
  StatusView status = With({Copy("docs")});
  status.without_primary = {"docs"};
  const Verdict verdict = CheckStatus(status, 60s);
  EXPECT_FALSE(verdict.well);
  EXPECT_THAT(verdict.line, HasSubstr("volume docs has no primary"));
}

// They never get fewer: an alarm would never end.
TEST(StatusCheck, CallsThatFailedOnceAreNoTroubleOfNow) {
  ReplicaView docs = Copy("docs");
  docs.unanswered = 3;
  EXPECT_TRUE(CheckStatus(With({docs}), 60s).well);
}

TEST(StatusCheck, WhoIsTooFarBehindIsNamedInOneLine) {
  ReplicaView docs = Copy("docs", ReplicaState::kCatchingUp, 90);
  docs.problem = "the disk\nis slow";
  const Verdict verdict = CheckStatus(With({docs, Copy("mail")}), 60s);
  EXPECT_FALSE(verdict.well);
  EXPECT_THAT(verdict.line, AllOf(HasSubstr("charlie docs 90.0 s behind"), HasSubstr("is slow"),
                                  Not(HasSubstr("mail")), Not(HasSubstr("\n"))));
  EXPECT_TRUE(CheckStatus(With({Copy("docs", ReplicaState::kCatchingUp, 90)}), 2min).well);
}

TEST(StatusCheck, WhatIsNotKnownIsNotWell) {
  ReplicaView docs = Copy("docs");
  docs.lag_seconds.reset();
  EXPECT_FALSE(CheckStatus(With({docs}), 60s).well);
  StatusView status = With({Copy("docs")});
  status.relay_state = "unknown";
  EXPECT_FALSE(CheckStatus(status, 60s).well);
}

TEST(StatusCheck, AProblemIsNotWellWhateverTheState) {
  ReplicaView docs = Copy("docs");
  docs.problem = "its config isn't the relay's";
  EXPECT_FALSE(CheckStatus(With({docs}), 60s).well);
}

}  // namespace
}  // namespace hawser::cli
