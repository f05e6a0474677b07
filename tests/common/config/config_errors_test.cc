// A table of bad configs: what changes in a good one, and what the error has to say and in which line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/config.h"
#include "tests/common/config/bad_config.h"

namespace hawser {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class BadConfigTest : public ::testing::TestWithParam<BadConfig> {};

TEST_P(BadConfigTest, SaysWhatAndWhere) { ExpectRefused(GetParam()); }

const BadConfig kBadConfigs[] = {
    // Keys
    {"UnknownKeyAtTop",
     "group: demo",
     "group: demo\ngruop: x",
     2,
     {"unknown key 'gruop'", "did you mean 'group'?"}},
    {"UnknownKeyInRelay", "address:", "adress:", 3, {"relay: unknown key 'adress'", "'address'"}},
    {"UnknownKeyInPorts", "stream: 7402", "steam: 7402", 4, {"relay.ports: unknown key 'steam'", "'stream'"}},
    {"UnknownKeyInReplica",
     "store: /srv/docs",
     "stor: /srv/docs",
     16,
     {"nodes.alpha.volumes.docs", "'store'"}},
    {"UnknownKeyLikeNone",
     "when_full:",
     "zzz:",
     7,
     {"unknown key 'zzz'; use one of: address, ports, journal"}},
    {"KeyOfAnotherFolder", "primary: bravo", "store: /srv", 10, {"volumes.mail: unknown key 'store'"}},
    {"DuplicateKey",
     "  when_full: drop_slowest",
     "  address: 127.0.0.1",
     7,
     {"'address' is given twice", "line 3"}},
    {"DuplicateNode", "  bravo:\n", "  alpha:\n", 18, {"'alpha' is given twice, first in line 12"}},
    {"DuplicateVolumeInFlow",
     "docs: { primary: alpha }",
     "docs: { primary: alpha, primary: bravo }",
     9,
     {"twice"}},

    // Missing
    {"MissingGroup", "group: demo\n", "", 1, {"'group' is missing"}},
    {"MissingRelay", "relay:", "relai:", 2, {"unknown key 'relai'", "'relay'"}},
    {"MissingJournal", "  journal: /hawser/relay\n", "", 2, {"relay: 'journal' is missing"}},
    {"MissingStore", "        store: /srv/docs\n", "", 15, {"nodes.alpha.volumes.docs: 'store' is missing"}},
    {"MissingState", "    state: /hawser/bravo\n", "", 18, {"nodes.bravo: 'state' is missing"}},
    {"MissingPrimary", "{ primary: alpha }", "{ fsync: both }", 9, {"volumes.docs: 'primary' is missing"}},
    {"EmptyValue",
     "journal: /hawser/relay",
     "journal:",
     5,
     {"relay.journal: nothing stands where a path has to"}},
    {"EmptyText", "journal: /hawser/relay", "journal: ''", 5, {"relay.journal: is empty"}},
    {"EmptyNode", "{ primary: bravo }", "", 10, {"volumes.mail: nothing stands where keys have to"}},
    {"NoVolumes", "  docs: { primary: alpha }\n  mail: { primary: bravo }\n", "  {}\n", 8, {"no volume"}},

    // Types
    {"PortIsText", "7401", "http", 4, {"relay.ports.write: 'http' is not possible", "1 to 65535"}},
    {"PortIsQuoted", "7401", "'7401'", 4, {"without quotes"}},
    {"PortIsNegative", "7401", "-1", 4, {"'-1' is not possible"}},
    {"PortIsHex", "7401", "0x10", 4, {"'0x10' is not possible"}},
    {"PortIsFraction", "7401", "7401.0", 4, {"'7401.0' is not possible"}},
    {"PortIsList", "7401", "[7401]", 4, {"a list stands where a number has to"}},
    {"ListForText", "journal: /hawser/relay", "journal: [a]", 5, {"a list stands where a path has to"}},
    {"MappingForText", "group: demo", "group: { a: b }", 1, {"a mapping stands where a name has to"}},
    {"TextForMapping",
     "{ primary: bravo }",
     "bravo",
     10,
     {"volumes.mail: 'bravo' stands where keys have to"}},
    {"ListForMapping",
     "{ size: 10GiB, time: 24h }",
     "[10GiB]",
     6,
     {"relay.keep: a list stands where keys have to"}},
    {"TextForList", "[alpha]", "alpha", 26, {"failover.candidates: 'alpha' stands where a list has to"}},
    {"FlagIsYes", "when_full: drop_slowest", "insecure: yes", 7, {"'yes' is neither true nor false"}},
    {"FlagIsQuoted", "when_full: drop_slowest", "insecure: \"true\"", 7, {"without quotes"}},
    {"WrongChoice",
     "drop_slowest",
     "drop",
     7,
     {"'drop' is not possible; write drop_slowest or hold_writers"}},

    // Values
    {"PortTooLarge", "7401", "65536", 4, {"'65536' is not possible", "1 to 65535"}},
    {"PortZero", "7401", "0", 4, {"'0' is not possible"}},
    {"DuplicatePorts", "stream: 7402", "stream: 7401", 4, {"relay.ports.stream: 7401", "'write' too"}},
    {"PortLikeADefault",
     "{ write: 7401, stream: 7402, control: 7403 }",
     "{ write: 7403 }",
     4,
     {"7403", "'write' too"}},
    {"TooLittleRoomLeft", "10GiB, time: 24h", "10GiB, free: 1MiB", 6, {"relay.keep.free", "at least 128MiB"}},
    {"SizeWithoutUnit", "10GiB", "10", 6, {"relay.keep.size: '10' has no unit; write for example 10GiB"}},
    {"SizeWithOtherUnit", "10GiB", "10GB", 6, {"'10GB' is not a size", "MiB, GiB"}},
    {"TimeWithoutUnit",
     "24h",
     "86400",
     6,
     {"relay.keep.time: '86400' has no unit; write for example 86400s"}},
    {"TimeoutZero", "{ primary: bravo }", "{ primary: bravo, timeout: 0s }", 10, {"'0s' is too short"}},
    {"UidTooLarge",
     "store: /srv/mail",
     "uid: 4294967295\n        store: /srv/mail",
     22,
     {"uid: '4294967295'"}},
    {"HomeVariable", "/hawser/relay", "$HOME/relay", 5, {"'$HOME/relay': variables", "write the whole path"}},
    {"VariableWithin", "/hawser/relay", "/home/${USER}/relay", 5, {"'/home/${USER}/relay': variables"}},
    {"OthersHome", "/hawser/relay", "~ann/relay", 5, {"'~ann/relay': '~' is not replaced"}},
    {"HomePath", "/hawser/relay", "~/relay", 5, {"'~/relay': '~' is not replaced", "write the whole path"}},
    {"PathWithNul", "/hawser/relay", "\"/a\\0b\"", 5, {"NUL"}},
    {"PathWithLineBreak", "/hawser/relay", "\"/a\\nb\"", 5, {"relay.journal: the path holds a line break"}},
    {"PathWithTab",
     "store: /srv/docs",
     "store: \"/a\\tb\"",
     16,
     {"store: the path holds a control character"}},

    // Names
    {"GroupWithSpace", "group: demo", "group: my group", 1, {"'my group' is not a name", "letters, digits"}},
    {"GroupWithSlash", "group: demo", "group: a/b", 1, {"'a/b' is not a name"}},
    {"NodeDots", "  bravo:\n", "  ..:\n", 18, {"'..' is not a name"}},
    {"VolumeUmlaut", "  mail: {", "  bücher: {", 10, {"is not a name"}},
    {"NodeLikeAnOption", "  bravo:\n", "  --bravo:\n", 18, {"'--bravo' begins with '-'", "options"}},
    {"VolumeLikeAnOption", "  mail: {", "  -mail: {", 10, {"'-mail' begins with '-'", "another name"}},
    {"GroupLikeAnOption", "group: demo", "group: -c", 1, {"'-c' begins with '-'"}},
    {"VolumeLikeTheJournal", "  mail: {", "  journal: {", 10, {"something else in a node's state folder"}},
    {"VolumeLikeTheLock", "  mail: {", "  lock: {", 10, {"something else in a node's state folder"}},
    {"NameTooLong",
     "group: demo",
     "group: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     1,
     {"is not a name", "1 to 64"}},

    // Address
    {"OpenAddress",
     "127.0.0.1",
     "192.168.1.5",
     3,
     {"relay.address: '192.168.1.5' is not a loopback address", "insecure: true"}},
    {"AddressOfAll", "127.0.0.1", "0.0.0.0", 3, {"no address that nodes can connect to"}},
    {"AddressOfManyMachines", "127.0.0.1", "224.0.0.1", 3, {"no address that nodes can connect to"}},
    {"AddressOfTheNetwork", "127.0.0.1", "255.255.255.255", 3, {"no address that nodes can connect to"}},
    {"AddressIsName",
     "127.0.0.1",
     "localhost",
     3,
     {"'localhost' is not an IP address; write one like 127.0.0.1"}},
    {"AddressIsIpv6", "127.0.0.1", "'::1'", 3, {"is an IPv6 address", "an IPv4 one"}},
    {"AddressWithPort", "127.0.0.1", "127.0.0.1:80", 3, {"is not an IP address"}},

    // References
    {"PrimaryUnknown",
     "{ primary: bravo }",
     "{ primary: brave }",
     10,
     {"there is no node 'brave'", "'bravo'"}},
    {"PrimaryDoesNotHold",
     "{ primary: bravo }",
     "{ primary: alpha }",
     10,
     {"node 'alpha' does not hold volume 'mail'"}},
    {"VolumeUnknown", "      mail:\n", "      male:\n", 10, {"node 'bravo' does not hold volume 'mail'"}},
    {"NodeNamedAsTheRelay",
     "nodes:\n",
     "nodes:\n  relay: { state: /x/a, volumes: { mail: { store: /x/s, mount: /x/m } } }\n",
     12,
     {"nodes.relay: 'relay' is what the relay itself is called", "another name"}},
    {"CandidateUnknown",
     "[alpha]",
     "[alpa]",
     26,
     {"failover.candidates: there is no node 'alpa'", "'alpha'"}},
    {"CandidateTwice", "[alpha]", "[alpha, alpha]", 26, {"named twice"}},
    {"AutomaticWithoutCandidates",
     "mode: manual\n  candidates: [alpha]",
     "mode: automatic",
     24,
     {"nobody can take over"}},

    // Folders
    {"StoreIsMount",
     "mount: /mnt/docs",
     "mount: /srv/docs",
     17,
     {"mount: '/srv/docs' is the same folder as nodes.alpha.volumes.docs.store"}},
    {"StoreIsMountWrittenOtherwise",
     "mount: /mnt/docs",
     "mount: /srv/./x/../docs/",
     17,
     {"is the same folder"}},
    {"MountInStore",
     "mount: /mnt/docs",
     "mount: /srv/docs/view",
     17,
     {"lies inside nodes.alpha.volumes.docs.store"}},
    {"StoreInMount",
     "store: /srv/docs",
     "store: /mnt/docs/.store",
     17,
     {"'/mnt/docs' contains nodes.alpha.volumes.docs.store"}},
    {"DuplicateMountWithinANode",
     "        mount: /mnt/docs\n",
     "        mount: /mnt/docs\n      mail: { store: /dr/mail, mount: /mnt/docs }\n",
     18,
     {"nodes.alpha.volumes.mail.mount", "is the same folder as nodes.alpha.volumes.docs.mount"}},
    {"DuplicateStoreAcrossNodes",
     "store: /srv/mail",
     "store: /srv/docs",
     22,
     {"is the same folder as nodes.alpha.volumes.docs.store"}},
    {"StoreInStoreOfAnotherNode",
     "store: /srv/mail",
     "store: /srv/docs/mail",
     22,
     {"lies inside nodes.alpha"}},
    {"StateInStore",
     "state: /hawser/bravo",
     "state: /srv/docs/state",
     19,
     {"lies inside nodes.alpha.volumes.docs.store"}},
    {"JournalInStore", "/hawser/relay", "/srv/docs/journal", 16, {"'/srv/docs' contains relay.journal"}},
    {"JournalInMount", "/hawser/relay", "/mnt/mail/journal", 23, {"contains relay.journal"}},
    {"JournalIsState",
     "/hawser/relay",
     "/hawser/alpha",
     13,
     {"nodes.alpha.state: '/hawser/alpha' is the same folder as relay.journal"}},
    {"StoreIsRoot", "store: /srv/docs", "store: /", 16, {"contains"}},
};

INSTANTIATE_TEST_SUITE_P(All, BadConfigTest, ::testing::ValuesIn(kBadConfigs),
                         [](const auto& bad) { return std::string(bad.param.name); });

Error ErrorOf(const std::string& text) {
  const auto config = ParseConfig(text, "bad.yaml");
  return config ? Error{0, "was accepted"} : config.error();
}

TEST(BadConfigFile, GoodOneIsGood) { EXPECT_EQ(ErrorOf(kGood).message, "was accepted"); }

TEST(BadConfigFile, NotAMappingAtTop) {
  EXPECT_THAT(ErrorOf("- a\n- b\n").message, AllOf(StartsWith("bad.yaml:1: "), HasSubstr("a list")));
  EXPECT_THAT(ErrorOf("hello").message, AllOf(StartsWith("bad.yaml:1: "), HasSubstr("'hello'")));
}

TEST(BadConfigFile, AliasBombIsRefusedAtItsFirstAnchor) {
  std::string bomb = "group: g\na: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name <= 'z'; ++name) {
    bomb += std::string(1, name) + ": &" + name + " [";
    for (int i = 0; i < 9; ++i) bomb += std::string(i > 0 ? ", *" : "*") + static_cast<char>(name - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(ErrorOf(bomb).message, AllOf(StartsWith("bad.yaml:2: "), HasSubstr("anchors")));
}

TEST(BadConfigFile, DeepNestingIsRefused) {
  for (const char* opening : {"[", "{a: ", "- ", "? "}) {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += opening;
    const Error error = ErrorOf(text);
    EXPECT_EQ(error.code, EINVAL) << opening;
    EXPECT_THAT(error.message, StartsWith("bad.yaml:1: ")) << opening;
  }
}

TEST(BadConfigFile, LargeFileIsRefused) {
  EXPECT_THAT(ErrorOf(std::string(2 * kMiB, 'x')).message, HasSubstr("at most 1 MiB"));
  std::string many;
  for (int i = 0; i < 150'000; ++i) many += "- a\n";
  EXPECT_THAT(ErrorOf(many).message, HasSubstr("larger than any config"));
}

TEST(BadConfigFile, BinaryFileIsRefused) {
  EXPECT_EQ(ErrorOf("\x7f"
                    "ELF\x02\x01\x01\xff\xfe")
                .code,
            EINVAL);
}

// Every config that one damaged byte makes is accepted or refused with a line; nothing else happens.
TEST(BadConfigFile, DamagedBytesNeverDoAnythingElse) {
  const std::string good = kGood;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char byte : {'\0', '\n', ' ', ':', '{', ']', '&', '"', '\xff', '~'}) {
      std::string text = good;
      text[at] = byte;
      const auto config = ParseConfig(text, "bad.yaml");
      if (!config) {
        EXPECT_THAT(config.error().message, StartsWith("bad.yaml:"));
      }
    }
  }
}

TEST(BadConfigFile, CutOffAnywhereNeverDoesAnythingElse) {
  const std::string good = kGood;
  for (std::size_t length = 0; length < good.size(); ++length) {
    const auto config = ParseConfig(good.substr(0, length), "bad.yaml");
    if (!config) {
      EXPECT_THAT(config.error().message, StartsWith("bad.yaml:"));
    }
  }
}

}  // namespace
}  // namespace hawser
