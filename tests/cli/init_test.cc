// hawser init: the config that it writes, the folders that it makes, and what it leaves alone.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/unique_fd.h"
#include "common/config/config.h"
#include "tests/cli/program.h"

namespace hawser::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Init : public ProgramTest {
 protected:
  Config Loaded(const std::string& name = "hawser.yaml") const {
    auto config = LoadConfig(Path(name));
    EXPECT_TRUE(config) << config.error().message;
    return config ? *std::move(config) : Config();
  }

  bool IsFolder(const std::string& name) const { return std::filesystem::is_directory(Path(name)); }
};

TEST_F(Init, LabIsAsCheckWantsIt) {
  const ProgramResult result = Hawser({"init", "--lab"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("hawser.yaml: written"), HasSubstr("lab/mnt/charlie/docs: made"),
                                HasSubstr("\n  hawser up ")));
  const ProgramResult check = Hawser({"check"});
  EXPECT_EQ(check.exit, 0) << check.out;
  EXPECT_EQ(Loaded().volumes.at(VolumeName("docs")).primary, NodeName("alpha"));
}

TEST_F(Init, EveryKeyIsInTheFileWithAComment) {
  ASSERT_EQ(Hawser({"init", "--lab"}).exit, 0);
  std::string text = Content(Path("hawser.yaml"));
  // The defaults that it shows are keys and values that are possible.
  for (auto at = text.find(" #"); at != std::string::npos; at = text.find(" #", at + 1)) {
    if (text[at + 2] != ' ') text.erase(at + 1, 1);
  }
  const auto config = ParseConfig(text, Path("hawser.yaml"));
  ASSERT_TRUE(config) << config.error().message << "\n" << text;
  for (const char* key :
       {"group",   "relay",    "address",     "insecure",      "ports",   "journal", "keep",  "when_full",
        "volumes", "primary",  "fsync",       "on_relay_loss", "timeout", "nodes",   "state", "store",
        "mount",   "nonempty", "allow_other", "uid",           "gid",     "xattrs"})
    EXPECT_THAT(text, HasSubstr(std::string(key) + ":"));
}

TEST_F(Init, ANameThatMayBeRepeatedLeavesTheFolderAlone) {
  const ProgramResult result = Hawser({"init", "--lab", "--copy", "vault", "--volume", "mail", "here"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_TRUE(IsFolder("here/mnt/vault/mail"));
  EXPECT_EQ(Loaded().nodes.size(), 2u);
}

TEST_F(Init, OptionsSayNamesAndPlaces) {
  const ProgramResult result =
      Hawser({"init",     "office's", "-c",        "office.yaml", "--group", "office", "--volume",
              "projects", "--volume", "mail",      "--primary",   "desk",    "--copy", "vault",
              "--copy",   "attic",    "--address", "10.20.0.5",   "--port",  "9001"});
  ASSERT_EQ(result.exit, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("hawser mount vault -c office.yaml"), HasSubstr("hawser relay -c"),
                    ::testing::Not(HasSubstr("was there already")),
                    HasSubstr("warning: relay.insecure: whoever reaches 10.20.0.5 may read and write")));
  const Config config = Loaded("office.yaml");
  EXPECT_EQ(config.group, "office");
  EXPECT_EQ(config.relay.StreamEndpoint(), "tcp://10.20.0.5:9002");
  EXPECT_TRUE(config.relay.insecure);
  EXPECT_EQ(config.volumes.size(), 2u);
  EXPECT_EQ(config.nodes.size(), 3u);
  const auto& vault = config.nodes.at(NodeName("vault")).volumes;
  EXPECT_EQ(vault.at(VolumeName("mail")).mount, Path("office's/mnt/mail")) << "the same on every machine";
  EXPECT_EQ(vault.at(VolumeName("mail")).store, Path("office's/store/vault/mail"));
}

TEST_F(Init, WithoutOptionsItIsForMachines) {
  const ProgramResult result = Hawser({"init", "--node", "nobody"});
  EXPECT_EQ(result.exit, 2) << "so that nothing is made in the folders of the system";
  EXPECT_THAT(result.err, HasSubstr("there is no node 'nobody'; use one of: alpha, charlie"));
  EXPECT_FALSE(std::filesystem::exists(Path("hawser.yaml")));
}

TEST_F(Init, NothingIsOverwritten) {
  WriteConfig();
  const std::string before = Content(Path("hawser.yaml"));
  const ProgramResult refused = Hawser({"init", "--lab"});
  EXPECT_EQ(refused.exit, 2);
  EXPECT_THAT(refused.err, HasSubstr("'hawser.yaml' is there already, and is never overwritten"));
  EXPECT_FALSE(IsFolder("lab"));

  std::filesystem::remove(Path("charlie.mount"));
  const ProgramResult result = Hawser({"init"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("hawser.yaml: was there already"), HasSubstr("charlie.mount: made"),
                                HasSubstr("alpha.store: was there already")));
  EXPECT_TRUE(IsFolder("charlie.mount"));
  EXPECT_EQ(Content(Path("hawser.yaml")), before);
}

TEST_F(Init, FoldersOfOneNodeOnly) {
  WriteConfig();
  for (const char* name : {"alpha.store", "alpha.mount", "charlie.store", "charlie.mount"})
    std::filesystem::remove(Path(name));
  EXPECT_EQ(Hawser({"init", "--node", "charlie"}).exit, 0);
  EXPECT_TRUE(IsFolder("charlie.store") && IsFolder("charlie.mount") && IsFolder("charlie"));
  EXPECT_FALSE(IsFolder("alpha.store") || IsFolder("alpha") || IsFolder("relay"));
  EXPECT_EQ(Hawser({"init", "--relay"}).exit, 0);
  EXPECT_TRUE(IsFolder("relay"));
  EXPECT_FALSE(IsFolder("alpha"));
}

TEST_F(Init, WhatIsInTheWayIsNamedAndNothingIsWritten) {
  WriteFile("lab", "a file");
  const ProgramResult file = Hawser({"init", "--lab"});
  EXPECT_EQ(file.exit, 3);
  EXPECT_THAT(file.err, HasSubstr("as a folder"));

  std::filesystem::create_directories(Path("used/store/alpha/docs/mine"));
  const ProgramResult used = Hawser({"init", "--lab", "used"});
  EXPECT_EQ(used.exit, 2);
  EXPECT_THAT(used.err, HasSubstr("used/store/alpha/docs' is in use already"));

  const ProgramResult name = Hawser({"init", "--lab", "--group", "my group"});
  EXPECT_EQ(name.exit, 2);
  EXPECT_THAT(name.err, HasSubstr("'my group' is not a name"));

  const ProgramResult nowhere = Hawser({"init", "--lab", "-c", "no/such/folder/x.yaml"});
  EXPECT_EQ(nowhere.exit, 3);
  EXPECT_THAT(nowhere.err, HasSubstr("no/such/folder"));
  EXPECT_FALSE(std::filesystem::exists(Path("hawser.yaml")));
}

TEST_F(Init, SecondLabTakesOtherPorts) {
  const int port = FreePorts(1).front();
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(fd.get(), 1), 0);
  ASSERT_EQ(Hawser({"init", "--lab", "--port", std::to_string(port)}).exit, 0);
  EXPECT_GE(Loaded().relay.write_port, port + 10);
}

TEST_F(Init, JsonSaysWhatIsMadeAndWhatIsNext) {
  const auto report = json::parse(Hawser({"init", "--lab", "--json"}).out, nullptr, false);
  EXPECT_TRUE(report.value("written", false)) << report;
  EXPECT_EQ(report.value("config", ""), "hawser.yaml");
  ASSERT_EQ(report.value("folders", json::array()).size(), 7u);
  EXPECT_TRUE(report["folders"][0].value("made", false));
  EXPECT_EQ(report["next"][0].value("command", ""), "hawser up");
}

TEST_F(Init, OnlyMountsAreForEverybody) {
  ASSERT_EQ(Hawser({"init", "--lab"}).exit, 0);
  const auto mode = [&](const std::string& name) {
    struct stat info {};
    EXPECT_EQ(::stat(Path(name).c_str(), &info), 0) << name;
    return info.st_mode & 0777;
  };
  for (const char* name : {"lab", "lab/mnt", "lab/mnt/alpha/docs", "lab/store/alpha/docs"})
    EXPECT_EQ(mode(name), 0755u) << name;
  for (const char* name : {"lab/state", "lab/state/alpha", "lab/store", "lab/store/alpha"})
    EXPECT_EQ(mode(name), 0700u) << name;
}

}  // namespace
}  // namespace hawser::test
