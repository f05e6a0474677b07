// A copy that stands still, for a backup.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/integration/files.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

using ::testing::HasSubstr;

class PauseTest : public ::testing::Test {
 protected:
  CommandResult Hawser(const std::vector<std::string>& arguments) {
    auto result = cluster_.Hawser(arguments);
    EXPECT_OK(result);
    return result ? *std::move(result) : CommandResult();
  }
  nlohmann::json Order(const std::string& order, const std::string& node) {
    const CommandResult result = Hawser({order, node, "--json"});
    EXPECT_EQ(result.exit, 0) << result.output;
    return nlohmann::json::parse(result.output, nullptr, false);
  }
  nlohmann::json Charlie() {
    const auto status = cluster_.GetStatus();
    return status ? (*status)["nodes"]["charlie"] : nlohmann::json();
  }
  std::string Docs(const std::string& node) { return cluster_.Mount(node, "docs"); }

  Cluster cluster_;
};

TEST_F(PauseTest, ACopyStandsWholeWhileItReceivesAndGoesOnWhenResumed) {
  ASSERT_OK(cluster_.Start());
  // The same number at the same time in both files of a volume, or one behind: each state of it is known.
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      Write(Docs("alpha") + "/a", std::to_string(100000 + i));
      Write(Docs("alpha") + "/b", std::to_string(100000 + i));
    }
  });
  for (int round = 0; round < 3; ++round) {
    const nlohmann::json stands = Order("pause", "charlie");
    const std::string a = Read(Docs("charlie") + "/a"), b = Read(Docs("charlie") + "/b");
    const std::uint64_t received = Charlie()["received"];
    EXPECT_TRUE(WaitUntil([&] { return Charlie()["received"] > received; }));
    EXPECT_EQ(Charlie()["state"], "paused");
    EXPECT_EQ(Charlie()["applied"], stands["applied"]);
    EXPECT_EQ(Read(Docs("charlie") + "/a"), a);
    EXPECT_EQ(Read(cluster_.Store("charlie", "docs") + "/a"), a);
    EXPECT_EQ(Read(cluster_.Store("charlie", "docs") + "/b"), b);
    Order("resume", "charlie");
    EXPECT_TRUE(WaitUntil([&] { return Charlie()["applied"] > stands["applied"]; }));
  }
  stop = true;
  writer.join();
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(PauseTest, APauseOutlivesTheNodeAndTheRelay) {
  ASSERT_OK(cluster_.Start());
  const nlohmann::json stands = Order("pause", "charlie");
  ASSERT_OK(cluster_.Stop("charlie"));
  ASSERT_OK(cluster_.Stop("relay"));
  ASSERT_OK(cluster_.Start("relay"));
  Write(Docs("alpha") + "/new", "content");
  ASSERT_OK(cluster_.Start("charlie"));
  EXPECT_TRUE(WaitUntil([&] { return Charlie()["received"] > stands["applied"]; }));
  EXPECT_EQ(Charlie()["state"], "paused");
  EXPECT_EQ(Charlie()["applied"], stands["applied"]);
  EXPECT_FALSE(Exists(Docs("charlie") + "/new"));
  EXPECT_THAT(Read(cluster_.Log("charlie")), HasSubstr("its copies are paused"));

  const CommandResult waited = Hawser({"wait", "--node", "charlie"});
  EXPECT_EQ(waited.exit, 1);
  EXPECT_THAT(waited.output, HasSubstr("'hawser resume'"));
  Order("resume", "charlie");
  EXPECT_OK(cluster_.CompareAllTrees());
}

TEST_F(PauseTest, WhatCanNotBeDoneIsSaid) {
  ASSERT_OK(cluster_.Start());
  CommandResult result = Hawser({"pause", "alpha"});
  EXPECT_EQ(result.exit, 1);
  EXPECT_THAT(result.output, HasSubstr("it holds no copy"));
  result = Hawser({"pause", "charly"});
  EXPECT_EQ(result.exit, 2);
  EXPECT_THAT(result.output, HasSubstr("charlie"));

  cluster_.Freeze("charlie");
  result = Hawser({"pause", "charlie", "--timeout", "100ms"});
  EXPECT_EQ(result.exit, 1);
  EXPECT_THAT(result.output, HasSubstr("node charlie has not paused after 100ms"));
  // Nobody asks any more when it comes back.
  EXPECT_TRUE(WaitUntil([&] { return Charlie()["state"] == "disconnected"; }));
  cluster_.Thaw("charlie");
  EXPECT_TRUE(WaitUntil([&] { return Charlie()["state"] == "live"; })) << Charlie();

  ASSERT_OK(cluster_.Stop("relay"));
  result = Hawser({"pause", "charlie"});
  EXPECT_EQ(result.exit, 3);
  EXPECT_THAT(result.output, HasSubstr("does not answer"));
}

}  // namespace
}  // namespace hawser::test
