// The relay puts a copy in the place of a primary that is lost, with nobody's doing.
#include <gmock/gmock.h>

#include "tests/integration/files.h"
#include "tests/integration/logged_writer.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AutomaticFailoverTest : public ::testing::Test {
 protected:
  // Long enough for a busy machine on which a node that is well may be silent for a moment.
  void Start(const std::string& mode, const std::string& detect = "3s") {
    ClusterOptions options;
    options.more = "failover: { mode: " + mode + ", detect: " + detect + ", candidates: [charlie] }\n";
    cluster_.emplace(options);
    ASSERT_OK(cluster_->Start());
    ASSERT_OK(cluster_->WaitForSecondaries());
  }
  nlohmann::json Status() {
    const auto status = cluster_->GetStatus();
    return status ? *status : nlohmann::json();
  }
  std::string PrimaryOfDocs() {
    const nlohmann::json status = Status();
    return status.is_object() ? status["volumes"]["docs"]["primary"] : "?";
  }
  bool AwaitServed(const std::string& node) {
    return WaitUntil([&] { return ErrnoOfWriting(Docs(node) + "/served") == 0; });
  }
  bool AwaitCopy(const std::string& node) {
    return WaitUntil([&] {
      const nlohmann::json status = Status();
      if (!status.is_object()) return false;
      const nlohmann::json docs = status["nodes"][node]["volumes"]["docs"];
      return docs["role"] == "secondary" && docs["state"] == "live";
    });
  }
  std::string Docs(const std::string& node) { return cluster_->Mount(node, "docs"); }

  std::optional<Cluster> cluster_;
};

TEST_F(AutomaticFailoverTest, APrimaryThatIsLostIsReplacedAndComesBackAsACopy) {
  ASSERT_NO_FATAL_FAILURE(Start("automatic"));
  LoggedWriter writer(Docs("alpha"));
  ASSERT_TRUE(WaitUntil([&] { return writer.acknowledged() > 100; }));
  cluster_->Kill("alpha");
  writer.Stop();
  EXPECT_TRUE(AwaitServed("charlie"));
  EXPECT_THAT(writer.Missing(Docs("charlie")), IsEmpty());
  EXPECT_EQ(PrimaryOfDocs(), "charlie");
  EXPECT_EQ(Status()["volumes"]["mail"]["primary"], "bravo") << "which is there";
  EXPECT_THAT(Read(cluster_->Log("relay")), HasSubstr("primary alpha is lost, not heard of for 3."));

  ASSERT_OK(cluster_->Start("alpha"));
  EXPECT_TRUE(AwaitCopy("alpha"));
  EXPECT_OK(cluster_->CompareAllTrees());
  EXPECT_THAT(Status()["failover"]["lost"], IsEmpty());
}

TEST_F(AutomaticFailoverTest, APrimaryThatIsFrozenIsReplacedAndWritesNothingWhenItWakes) {
  ASSERT_NO_FATAL_FAILURE(Start("automatic"));
  cluster_->Freeze("alpha");
  EXPECT_TRUE(AwaitServed("charlie"));
  cluster_->Thaw("alpha");
  EXPECT_TRUE(AwaitCopy("alpha"));
  EXPECT_EQ(ErrnoOfWriting(Docs("alpha") + "/other"), EROFS);
  EXPECT_OK(cluster_->CompareAllTrees());
}

// It hasn't heard of anybody for a while then, and that says nothing.
TEST_F(AutomaticFailoverTest, ARelayThatIsHeldUpOrStartedAnewReplacesNobodyWhoIsThere) {
  ASSERT_NO_FATAL_FAILURE(Start("automatic", "5s"));
  cluster_->Freeze("relay");
  std::this_thread::sleep_for(std::chrono::milliseconds(5500));  // more than `detect`
  cluster_->Thaw("relay");
  EXPECT_EQ(ErrnoOfWriting(Docs("alpha") + "/one"), 0);
  ASSERT_OK(cluster_->Stop("relay"));
  ASSERT_OK(cluster_->Start("relay"));
  EXPECT_EQ(ErrnoOfWriting(Docs("alpha") + "/two"), 0);
  ASSERT_OK(cluster_->WaitForSecondaries());
  EXPECT_EQ(Status()["volumes"]["docs"]["generation"], 1);

  // But one that is gone with it is found out.
  cluster_->Kill("alpha");
  cluster_->Kill("relay");
  ASSERT_OK(cluster_->Start("relay"));
  EXPECT_TRUE(AwaitServed("charlie"));
}

TEST_F(AutomaticFailoverTest, AnObserverSaysWhatItWouldDoAndDoesNothing) {
  ASSERT_NO_FATAL_FAILURE(Start("observe"));
  cluster_->Kill("alpha");
  EXPECT_TRUE(WaitUntil([&] {
    const nlohmann::json status = Status();
    return status.is_object() && !status["failover"]["lost"].empty();
  }));
  EXPECT_EQ(Status()["failover"]["lost"][0]["candidate"], "charlie");
  const auto shown = cluster_->Hawser({"status"});
  ASSERT_OK(shown);
  EXPECT_THAT(shown->output, HasSubstr("primary alpha is lost"));
  EXPECT_THAT(shown->output, HasSubstr("node charlie would take its place"));
  EXPECT_EQ(PrimaryOfDocs(), "alpha");
}

}  // namespace
}  // namespace hawser::test
