// Roles that move: by plan and after a loss, under writers, and home again.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/integration/files.h"
#include "tests/integration/logged_writer.h"
#include "tests/support/cluster.h"
#include "tests/support/ok.h"

namespace hawser::test {
namespace {

using ::testing::HasSubstr;

class PromotionTest : public ::testing::Test {
 protected:
  CommandResult Hawser(const std::vector<std::string>& arguments) {
    auto result = cluster_.Hawser(arguments);
    EXPECT_OK(result);
    return result ? *std::move(result) : CommandResult();
  }
  // What `hawser promote` says of docs.
  nlohmann::json PromoteDocs(const std::string& node) {
    const CommandResult result = Hawser({"promote", node, "docs", "--json"});
    EXPECT_EQ(result.exit, 0) << result.output;
    const auto json = nlohmann::json::parse(result.output, nullptr, false);
    return json.is_object() ? json["volumes"]["docs"] : nlohmann::json();
  }
  nlohmann::json RoleOf(const std::string& node, const std::string& volume) {
    const auto status = cluster_.GetStatus();
    return status ? (*status)["nodes"][node]["volumes"][volume]["role"] : nlohmann::json();
  }
  bool AwaitCopy(const std::string& node) {
    return WaitUntil([&] {
      const auto status = cluster_.GetStatus();
      if (!status) return false;
      const nlohmann::json docs = (*status)["nodes"][node]["volumes"]["docs"];
      return docs["role"] == "secondary" && docs["state"] == "live";
    });
  }
  std::string Docs(const std::string& node) { return cluster_.Mount(node, "docs"); }

  Cluster cluster_;
};

TEST_F(PromotionTest, APlannedOneMovesAVolumeInPlaceAndHomeAgain) {
  ASSERT_OK(cluster_.Start());
  Write(Docs("alpha") + "/file", "by alpha");
  ASSERT_EQ(mkdir((Docs("alpha") + "/folder").c_str(), 0755), 0);
  ASSERT_OK(cluster_.WaitForSecondaries());
  // Programs that stand in the mounts.
  const UniqueFd reading(open((Docs("charlie") + "/file").c_str(), O_RDONLY | O_CLOEXEC));
  const UniqueFd standing(open((Docs("charlie") + "/folder").c_str(), O_PATH | O_CLOEXEC));
  const UniqueFd writing(open((Docs("alpha") + "/file").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(reading && standing && writing);
  struct stat before {};
  ASSERT_EQ(stat((Docs("alpha") + "/file").c_str(), &before), 0);
  EXPECT_FALSE(Exists(Docs("alpha") + "/new")) << "which the kernel keeps, too";

  const nlohmann::json there = PromoteDocs("charlie");
  EXPECT_EQ(there["from"], "alpha") << there;
  EXPECT_EQ(there["to"], "charlie");
  EXPECT_EQ(there["generation"], 2);
  EXPECT_EQ(there["planned"], true);
  EXPECT_EQ(there["lost"], 0);

  Write(Docs("charlie") + "/file", "by charlie, and longer");
  Write(Docs("charlie") + "/new", "new");
  Write(Docs("charlie") + "/folder/inside", "inside");
  char text[64] = {};
  EXPECT_GT(pread(reading.get(), text, sizeof(text) - 1, 0), 0);
  EXPECT_STREQ(text, "by charlie, and longer");
  EXPECT_EQ(faccessat(standing.get(), "inside", F_OK, 0), 0) << strerrordesc_np(errno);

  ASSERT_TRUE(AwaitCopy("alpha"));
  ASSERT_OK(cluster_.WaitForSecondaries());
  EXPECT_EQ(pwrite(writing.get(), "x", 1, 0), -1);
  EXPECT_EQ(errno, EROFS);
  EXPECT_EQ(ErrnoOfWriting(Docs("alpha") + "/other"), EROFS);
  struct stat after {};
  ASSERT_EQ(stat((Docs("alpha") + "/file").c_str(), &after), 0);
  EXPECT_NE(after.st_size, before.st_size);
  EXPECT_EQ(Read(Docs("alpha") + "/file"), "by charlie, and longer");
  EXPECT_EQ(Read(Docs("alpha") + "/new"), "new");
  ASSERT_EQ(fstat(writing.get(), &after), 0);
  EXPECT_NE(after.st_size, before.st_size);
  ASSERT_OK(cluster_.CompareAllTrees());

  const nlohmann::json home = PromoteDocs("alpha");
  EXPECT_EQ(home["generation"], 3);
  EXPECT_EQ(home["planned"], true);
  Write(Docs("alpha") + "/file", "by alpha again");
  Write(Docs("alpha") + "/folder/more", "more");
  ASSERT_TRUE(AwaitCopy("charlie"));
  EXPECT_EQ(ErrnoOfWriting(Docs("charlie") + "/other"), EROFS);
  ASSERT_OK(cluster_.CompareAllTrees());
  EXPECT_EQ(Read(Docs("charlie") + "/file"), "by alpha again");
}

TEST_F(PromotionTest, AfterTheLossOfAPrimaryNothingAcknowledgedIsMissingAndItComesBackAsACopy) {
  ASSERT_OK(cluster_.Start());
  LoggedWriter writer(Docs("alpha"));
  ASSERT_TRUE(WaitUntil([&] { return writer.acknowledged() > 200; }));
  cluster_.Kill("alpha");
  writer.Stop();

  const nlohmann::json there = PromoteDocs("charlie");
  EXPECT_EQ(there["planned"], false) << there;
  EXPECT_EQ(RoleOf("alpha", "docs"), "secondary") << "it can't say so itself";
  EXPECT_EQ(RoleOf("charlie", "docs"), "primary");
  EXPECT_EQ(there["lost"], 0);
  EXPECT_THAT(writer.Missing(Docs("charlie")), ::testing::IsEmpty());
  Write(Docs("charlie") + "/since", "then");

  ASSERT_OK(cluster_.Start("alpha"));
  EXPECT_TRUE(AwaitCopy("alpha"));
  ASSERT_OK(cluster_.CompareAllTrees());
  EXPECT_EQ(Read(Docs("alpha") + "/since"), "then");

  EXPECT_EQ(PromoteDocs("alpha")["planned"], true);
  Write(Docs("alpha") + "/home", "again");
  ASSERT_OK(cluster_.CompareAllTrees());
  EXPECT_THAT(writer.Missing(Docs("alpha")), ::testing::IsEmpty());
}

TEST_F(PromotionTest, AFrozenPrimaryThatWakesWritesNothingMoreAndGoesOnAsACopy) {
  ASSERT_OK(cluster_.Start());
  LoggedWriter writer(Docs("alpha"));
  ASSERT_TRUE(WaitUntil([&] { return writer.acknowledged() > 100; }));
  cluster_.Freeze("alpha");
  EXPECT_EQ(PromoteDocs("charlie")["planned"], false);
  Write(Docs("charlie") + "/since", "then");
  cluster_.Thaw("alpha");
  EXPECT_TRUE(AwaitCopy("alpha"));
  writer.Stop();
  EXPECT_EQ(ErrnoOfWriting(Docs("alpha") + "/other"), EROFS);
  ASSERT_OK(cluster_.CompareAllTrees());
  EXPECT_THAT(writer.Missing(Docs("charlie")), ::testing::IsEmpty());
}

// Under writers on both sides: one gets its error and stops, the other begins.
TEST_F(PromotionTest, RolesGoBackAndForthUnderWritersAndNothingIsLost) {
  ASSERT_OK(cluster_.Start());
  std::vector<std::unique_ptr<LoggedWriter>> writers;
  for (int round = 0; round < 6; ++round) {
    const std::string here = round % 2 == 0 ? "alpha" : "charlie";
    const std::string there = round % 2 == 0 ? "charlie" : "alpha";
    const std::string folder = "/round-" + std::to_string(round);
    ASSERT_EQ(mkdir((Docs(here) + folder).c_str(), 0755), 0) << strerrordesc_np(errno);
    writers.push_back(std::make_unique<LoggedWriter>(Docs(here) + folder));
    ASSERT_TRUE(WaitUntil([&] { return writers.back()->acknowledged() > 50; }));
    const nlohmann::json moved = PromoteDocs(there);
    EXPECT_EQ(moved["planned"], true) << moved;
    EXPECT_EQ(moved["generation"], round + 2);
    writers.back()->Stop();
    for (int i = 0; i <= round; ++i) {
      EXPECT_THAT(writers[i]->Missing(Docs(there) + "/round-" + std::to_string(i)), ::testing::IsEmpty())
          << "of round " << i;
    }
  }
  ASSERT_OK(cluster_.CompareAllTrees());
}

// Its files would be those of before, while another node is primary.
TEST(IsolatedReadsTest, APrimaryThatIsCutOffAnswersNoCallUntilItKnowsWhoIsPrimary) {
  ClusterOptions options;
  options.volume_keys["isolated_reads"] = "refuse";
  options.more = "failover: { detect: 2s }\n";
  Cluster cluster(options);
  ASSERT_OK(cluster.Start());
  const std::string file = cluster.Mount("alpha", "docs") + "/file";
  Write(file, "content");
  const UniqueFd reading(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  char byte = 0;
  ASSERT_EQ(pread(reading.get(), &byte, 1, 0), 1) << "which the kernel keeps";
  ASSERT_OK(cluster.WaitForSecondaries());
  cluster.Freeze("relay");
  EXPECT_TRUE(WaitUntil([&] { return pread(reading.get(), &byte, 1, 0) == -1 && errno == EIO; }));
  struct stat info {};
  EXPECT_EQ(stat(file.c_str(), &info), -1);
  EXPECT_EQ(errno, EIO);
  EXPECT_EQ(stat((cluster.Mount("charlie", "docs") + "/file").c_str(), &info), 0)
      << "a copy shows what it has";
  cluster.Thaw("relay");
  EXPECT_TRUE(WaitUntil([&] { return Read(file) == "content"; }));
  EXPECT_EQ(pread(reading.get(), &byte, 1, 0), 1);
}

}  // namespace
}  // namespace hawser::test
