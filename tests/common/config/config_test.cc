#include "common/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/config/folders.h"

namespace hawser {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

// The example of DESIGN section 10.
constexpr char kWhole[] = R"(group: demo
relay:
  address: 127.0.0.1
  ports: { write: 7501, stream: 7502, control: 7503 }
  journal: /var/lib/hawser/demo/relay
  keep: { size: 10GiB, time: 24h, free: 1GiB }
  when_full: drop_slowest          # or hold_writers
volumes:
  docs: { primary: alpha }
  mail: { primary: bravo }
nodes:
  alpha:
    state: /var/lib/hawser/demo/alpha
    volumes: { docs: { store: /srv/docs.store, mount: /mnt/docs } }
  bravo:
    state: /var/lib/hawser/demo/bravo
    volumes: { mail: { store: /srv/mail.store, mount: /mnt/mail } }
  charlie:
    state: /var/lib/hawser/demo/charlie
    volumes:
      docs: { store: /dr/docs.store, mount: /mnt/dr/docs }
      mail: { store: /dr/mail.store, mount: /mnt/dr/mail }
failover:
  mode: manual
  detect: 5s
  candidates: [charlie]
  before: []
  after: [ "logger hawser: $HAWSER_NODE is now primary of $HAWSER_VOLUMES" ]
)";

Config Parsed(const std::string& text, const std::string& path = "/etc/hawser/demo.yaml") {
  auto config = ParseConfig(text, path);
  if (config) return *std::move(config);
  ADD_FAILURE() << config.error().message;
  return {};
}

TEST(Config, MountMayLieWhereAnotherNodeHasAFolder) {
  std::string text = kWhole;
  for (const char* mount : {"/mnt/docs", "/srv", "/var/lib/hawser/demo/alpha/x"}) {
    const auto at = text.find("mount: /mnt/mail");
    ASSERT_NE(at, std::string::npos);
    std::string changed = text;
    changed.replace(at, 16, std::string("mount: ") + mount);
    if (std::string(mount) == "/srv") changed.replace(changed.find("/srv/mail.store"), 15, "/dr/x");
    const Config config = Parsed(changed);
    EXPECT_EQ(config.nodes.size(), 3u) << mount;
    EXPECT_TRUE(FindOverlap(FoldersOf(config), Machines::kOne)) << mount;
  }
}

TEST(Config, EveryValueOfTheWholeExampleArrives) {
  const Config config = Parsed(kWhole);

  EXPECT_EQ(config.path, "/etc/hawser/demo.yaml");
  EXPECT_EQ(config.group, "demo");
  EXPECT_EQ(config.relay.WriteEndpoint(), "tcp://127.0.0.1:7501");
  EXPECT_EQ(config.relay.StreamEndpoint(), "tcp://127.0.0.1:7502");
  EXPECT_EQ(config.relay.ControlEndpoint(), "tcp://127.0.0.1:7503");
  EXPECT_EQ(config.relay.journal, "/var/lib/hawser/demo/relay");
  EXPECT_EQ(config.relay.keep_size, 10 * kGiB);
  EXPECT_EQ(config.relay.keep_time, 24h);
  EXPECT_EQ(config.relay.keep_free, kGiB);
  EXPECT_EQ(config.relay.when_full, WhenFull::kDropSlowest);
  EXPECT_FALSE(config.relay.insecure);

  ASSERT_EQ(config.volumes.size(), 2u);
  EXPECT_EQ(config.volumes.at(VolumeName("docs")).primary, NodeName("alpha"));
  EXPECT_EQ(config.volumes.at(VolumeName("mail")).primary, NodeName("bravo"));

  ASSERT_EQ(config.nodes.size(), 3u);
  const NodeConfig& charlie = config.nodes.at(NodeName("charlie"));
  EXPECT_EQ(charlie.state, "/var/lib/hawser/demo/charlie");
  ASSERT_EQ(charlie.volumes.size(), 2u);
  EXPECT_EQ(charlie.volumes.at(VolumeName("mail")).store, "/dr/mail.store");
  EXPECT_EQ(charlie.volumes.at(VolumeName("mail")).mount, "/mnt/dr/mail");

  EXPECT_EQ(config.failover.mode, FailoverMode::kManual);
  EXPECT_EQ(config.failover.detect, 5s);
  EXPECT_THAT(config.failover.candidates, ElementsAre(NodeName("charlie")));
  EXPECT_TRUE(config.failover.before.empty());
  EXPECT_THAT(config.failover.after, ElementsAre(HasSubstr("is now primary of $HAWSER_VOLUMES")));
}

constexpr char kLeast[] = R"(group: g
relay: { journal: relay }
volumes: { v: { primary: n } }
nodes: { n: { state: n, volumes: { v: { store: store, mount: mount } } } }
)";

TEST(Config, WhatIsLeftOutHasItsDefault) {
  const Config config = Parsed(kLeast);

  EXPECT_EQ(config.relay.WriteEndpoint(), "tcp://127.0.0.1:7401");
  EXPECT_EQ(config.relay.StreamEndpoint(), "tcp://127.0.0.1:7402");
  EXPECT_EQ(config.relay.ControlEndpoint(), "tcp://127.0.0.1:7403");
  const VolumeConfig& volume = config.volumes.at(VolumeName("v"));
  EXPECT_EQ(volume.fsync, FsyncPolicy::kBoth);
  EXPECT_EQ(volume.on_relay_loss, OnRelayLoss::kBlock);
  EXPECT_EQ(volume.isolated_reads, IsolatedReads::kServe);
  const ReplicaConfig& replica = config.nodes.at(NodeName("n")).volumes.at(VolumeName("v"));
  EXPECT_FALSE(replica.allow_other.has_value());
  EXPECT_FALSE(replica.uid.has_value());
  EXPECT_FALSE(replica.gid.has_value());
  EXPECT_TRUE(replica.xattrs);
  EXPECT_FALSE(replica.nonempty);
  EXPECT_EQ(config.failover.mode, FailoverMode::kManual);
}

TEST(Config, OptionsOfVolumesAndReplicasArrive) {
  const Config config = Parsed(R"(group: g
relay: { journal: relay, address: 10.1.2.3, insecure: true, when_full: hold_writers }
volumes: { v: { primary: n, fsync: relay, on_relay_loss: fail, timeout: 250ms, isolated_reads: refuse } }
nodes:
  n:
    state: n
    volumes: { v: { store: s, mount: m, allow_other: false, uid: 0, gid: 1000, xattrs: false, nonempty: true } }
failover: { mode: automatic, candidates: [n] }
)");

  EXPECT_EQ(config.relay.address, "10.1.2.3");
  EXPECT_TRUE(config.relay.insecure);
  EXPECT_EQ(config.relay.when_full, WhenFull::kHoldWriters);
  const VolumeConfig& volume = config.volumes.at(VolumeName("v"));
  EXPECT_EQ(volume.fsync, FsyncPolicy::kRelay);
  EXPECT_EQ(volume.on_relay_loss, OnRelayLoss::kFail);
  EXPECT_EQ(volume.timeout, 250ms);
  EXPECT_EQ(volume.isolated_reads, IsolatedReads::kRefuse);
  const ReplicaConfig& replica = config.nodes.at(NodeName("n")).volumes.at(VolumeName("v"));
  EXPECT_EQ(replica.allow_other, std::optional<bool>(false));
  EXPECT_EQ(replica.uid, std::optional<std::uint32_t>(0));
  EXPECT_EQ(replica.gid, std::optional<std::uint32_t>(1000));
  EXPECT_FALSE(replica.xattrs);
  EXPECT_TRUE(replica.nonempty);
  EXPECT_EQ(config.failover.mode, FailoverMode::kAutomatic);
}

TEST(Config, RelativePathsAreRelativeToTheFileAndNormalised) {
  std::string text = kLeast;
  text.replace(text.find("store: store"), 12, "store: ../a/./b//");
  const Config config = Parsed(text, "/etc/hawser/g.yaml");

  EXPECT_EQ(config.relay.journal, "/etc/hawser/relay");
  const ReplicaConfig& replica = config.nodes.at(NodeName("n")).volumes.at(VolumeName("v"));
  EXPECT_EQ(replica.store, "/etc/a/b");
  EXPECT_EQ(replica.mount, "/etc/hawser/mount");
}

TEST(Config, FileNamedByRelativePathIsInTheCurrentFolder) {
  const Config config = Parsed(kLeast, "g.yaml");
  EXPECT_EQ(config.relay.journal, (std::filesystem::current_path() / "relay").string());
}

TEST(Config, MissingFileIsNamedWithItsErrno) {
  const auto config = LoadConfig("/nowhere/hawser.yaml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ENOENT);
  EXPECT_THAT(config.error().message, HasSubstr("/nowhere/hawser.yaml"));
}

TEST(Config, LoadReadsTheFile) {
  const auto file =
      std::filesystem::temp_directory_path() / ("hawser-config-test-" + std::to_string(::getpid()));
  std::ofstream(file) << kLeast;
  const auto config = LoadConfig(file);
  std::filesystem::remove(file);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->path, file.string());
}

class ConfigPathTest : public ::testing::Test {
 protected:
  void SetUp() override { ::unsetenv("HAWSER_CONFIG"); }
  void TearDown() override { ::unsetenv("HAWSER_CONFIG"); }
};

TEST_F(ConfigPathTest, OptionComesBeforeEnvironmentBeforeDefault) {
  EXPECT_EQ(ConfigPath(""), "hawser.yaml");
  ::setenv("HAWSER_CONFIG", "/env.yaml", 1);
  EXPECT_EQ(ConfigPath(""), "/env.yaml");
  EXPECT_EQ(ConfigPath("/option.yaml"), "/option.yaml");
}

TEST_F(ConfigPathTest, EmptyEnvironmentCountsAsNone) {
  ::setenv("HAWSER_CONFIG", "", 1);
  EXPECT_EQ(ConfigPath(""), "hawser.yaml");
}

}  // namespace
}  // namespace hawser
