#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/state_folder.h"
#include "common/base/unique_fd.h"
#include "common/config/config.h"
#include "tests/cli/program.h"
#include "volume/store/checkpoint.h"

namespace hawser::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class Check : public ProgramTest {
 protected:
  void SetUp() override { WriteConfig(); }

  // What was found about `what`.
  json Finding(const std::string& what) const {
    const auto report = json::parse(Hawser({"check", "--json"}).out, nullptr, false);
    for (const auto& finding : report.value("findings", json::array())) {
      if (finding.value("what", "") == what) return finding;
    }
    ADD_FAILURE() << "nothing about " << what << " in " << report.dump(2);
    return json::object();
  }

  void ExpectProblem(const std::string& what, const std::string& found, const std::string& todo) const {
    const json finding = Finding(what);
    EXPECT_FALSE(finding.value("ok", true)) << finding;
    EXPECT_THAT(finding.value("found", ""), HasSubstr(found));
    EXPECT_THAT(finding.value("todo", ""), HasSubstr(todo));
    EXPECT_EQ(Hawser({"check"}).exit, 1);
  }

  void ExpectFine(const std::string& what, const std::string& found) const {
    const json finding = Finding(what);
    EXPECT_TRUE(finding.value("ok", false)) << finding;
    EXPECT_THAT(finding.value("found", ""), HasSubstr(found));
  }
};

TEST_F(Check, EverythingIsLookedAt) {
  const auto report = json::parse(Hawser({"check", "--json"}).out, nullptr, false);
  std::vector<std::string> looked_at;
  for (const auto& finding : report.value("findings", json::array()))
    looked_at.push_back(finding.value("what", ""));
  EXPECT_THAT(looked_at,
              ::testing::ElementsAre("config", "relay journal", "relay write port", "relay stream port",
                                     "relay control port", "FUSE device", "fusermount3", "alpha state",
                                     "alpha docs store", "alpha docs mount", "charlie state",
                                     "charlie docs store", "charlie docs mount"));
}

TEST_F(Check, FoldersThatAreThereAreFine) {
  ExpectFine("alpha docs store", "empty");
  ExpectFine("alpha docs mount", "empty");
  ExpectFine("alpha state", "will be created");
  ExpectFine("relay journal", "will be created");
  ExpectFine("relay write port", "free");
}

TEST_F(Check, TableSaysWhatToDo) {
  std::filesystem::remove(Path("alpha.store"));
  const ProgramResult result = Hawser({"check"});
  EXPECT_EQ(result.exit, 1);
  EXPECT_THAT(result.out, HasSubstr("mkdir -p '" + Path("alpha.store") + "'"));
  EXPECT_THAT(result.out, HasSubstr("problem"));
}

TEST_F(Check, MissingStoreIsAProblem) {
  std::filesystem::remove(Path("alpha.store"));
  ExpectProblem("alpha docs store", "does not exist", "mkdir -p");
}

TEST_F(Check, ManyMissingFoldersAreMadeByOneCommand) {
  std::filesystem::remove(Path("alpha.store"));
  EXPECT_THAT(Hawser({"check"}).out, ::testing::Not(HasSubstr("hawser init")));
  std::filesystem::remove(Path("alpha.mount"));
  EXPECT_THAT(Hawser({"check"}).out, HasSubstr("All missing folders at once: hawser init\n"));
  EXPECT_THAT(Hawser({"check", "-c", "./hawser.yaml", "--node", "alpha"}).out,
              HasSubstr("hawser init -c ./hawser.yaml --node alpha\n"));
  EXPECT_EQ(Hawser({"init", "-c", "./hawser.yaml", "--node", "alpha"}).exit, 0);
  EXPECT_EQ(Hawser({"check"}).exit, 0);
}

TEST_F(Check, MountThatIsAFileIsAProblem) {
  std::filesystem::remove(Path("alpha.mount"));
  WriteFile("alpha.mount", "");
  ExpectProblem("alpha docs mount", "is not a folder", "folder");
}

TEST_F(Check, StateThatIsAFileIsOneProblem) {
  WriteFile("alpha", "");
  ExpectProblem("alpha state", "is not a folder", "name a folder");
  EXPECT_THAT(Hawser({"check"}).out, HasSubstr("\n1 problem."));
}

TEST_F(Check, StoreWithForeignFilesIsAProblem) {
  WriteFile("alpha.store/mine", "text");
  ExpectProblem("alpha docs store", "files that Hawser doesn't know", "empty folder");
}

TEST_F(Check, StoreThatIsNotItsCheckpointsIsAProblem) {
  const std::string state = Path("alpha");
  std::filesystem::create_directories(StateFolder(state).Volume(VolumeName("docs")));
  Checkpoint checkpoint;
  checkpoint.mark = 7;
  ASSERT_TRUE(WriteCheckpoint(StateFolder(state).Checkpoint(VolumeName("docs")), checkpoint));
  ExpectProblem("alpha docs store", "doesn't carry the mark of its checkpoint",
                "hawser mount alpha --new-store docs");
}

TEST_F(Check, StoreOfAnotherVolumeIsAProblem) {
  ASSERT_EQ(::setxattr(Path("alpha.store").c_str(), "user.hawser.id", "x", 1, 0), 0);
  ASSERT_EQ(::setxattr(Path("alpha.store").c_str(), "user.hawser.volume", "old/docs", 8, 0), 0);
  ExpectProblem("alpha docs store", "belongs to volume old/docs and not to test/docs",
                "rmdir '" + Path("alpha.store") + "' && mkdir");
  WriteFile("alpha.store/file", "text");
  ExpectProblem("alpha docs store", "belongs to volume old/docs", "correct the config");
}

TEST_F(Check, StoreWithoutXattrsIsAProblem) {
  std::filesystem::remove(Path("alpha.store"));
  std::filesystem::create_directory_symlink("/proc/self", Path("alpha.store"));
  EXPECT_FALSE(Finding("alpha docs store").value("ok", true));
}

TEST_F(Check, FoldersNestedByALinkAreAProblem) {
  std::filesystem::remove(Path("alpha.mount"));
  std::filesystem::create_directory_symlink(Path("alpha.store"), Path("alpha.mount"));
  ExpectProblem("folders apart", "is the same folder as", "apart");
}

TEST_F(Check, PortInUseIsAProblemThatNamesTheProcess) {
  const auto config = LoadConfig(Path("hawser.yaml"));
  ASSERT_TRUE(config);
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(config->relay.write_port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(fd.get(), 1), 0);
  ExpectProblem("relay write port", "(process " + std::to_string(::getpid()) + ")", "another port");
}

TEST_F(Check, SameMountPathOnEveryMachineIsFine) {
  ChangeConfig("charlie.mount", "alpha.mount");
  const ProgramResult result = Hawser({"check"});
  EXPECT_EQ(result.exit, 0) << result.out << result.err;
}

TEST_F(Check, OnlyTheNodeThatIsNamed) {
  const auto report = json::parse(Hawser({"check", "--node", "charlie", "--json"}).out, nullptr, false);
  for (const auto& finding : report.value("findings", json::array())) {
    EXPECT_THAT(finding.value("what", ""), ::testing::Not(HasSubstr("alpha")));
    EXPECT_THAT(finding.value("what", ""), ::testing::Not(HasSubstr("port")));
  }
}

}  // namespace
}  // namespace hawser::test
