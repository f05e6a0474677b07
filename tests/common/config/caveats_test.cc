#include "common/config/caveats.h"

#include <gmock/gmock.h>

#include "tests/common/config/bad_config.h"

namespace hawser {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<Caveat> CaveatsWith(const std::string& text, const std::string& by) {
  std::string config = kGood;
  const auto at = config.find(text);
  EXPECT_NE(at, std::string::npos);
  const auto parsed = ParseConfig(config.replace(at, text.size(), by), "odd.yaml");
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? CaveatsOf(*parsed) : std::vector<Caveat>();
}

void ExpectOne(const std::vector<Caveat>& caveats, const std::string& key, const std::string& what) {
  ASSERT_EQ(caveats.size(), 1u) << key;
  EXPECT_EQ(caveats.front().key, key);
  EXPECT_THAT(caveats.front().what, HasSubstr(what));
  EXPECT_FALSE(caveats.front().advice.empty());
}

TEST(Caveats, PlainConfigHasNone) { EXPECT_THAT(CaveatsWith("group: demo", "group: demo"), IsEmpty()); }

TEST(Caveats, RelayThatIsOpenToANetwork) {
  const std::string loopback = "address: 127.0.0.1";
  ExpectOne(CaveatsWith(loopback, "address: 192.0.2.2\n  insecure: true"), "relay.insecure", "192.0.2.2");
  EXPECT_THAT(CaveatsWith(loopback, "address: 127.0.0.1\n  insecure: true"), IsEmpty());
}

TEST(Caveats, NamesThatDifferInCaseOnly) {
  ExpectOne(
      CaveatsWith("  bravo:\n",
                  "  Alpha: { state: /x/a, volumes: { mail: { store: /x/s, mount: /x/m } } }\n  bravo:\n"),
      "nodes.alpha", "differs from the node 'Alpha' in the case");
  ExpectOne(
      CaveatsWith("  mail: { primary: bravo }\nnodes:\n  alpha:\n    state: /hawser/alpha\n    volumes:\n",
                  "  mail: { primary: bravo }\n  Docs: { primary: alpha }\nnodes:\n  alpha:\n"
                  "    state: /hawser/alpha\n    volumes:\n      Docs: { store: /x/s, mount: /x/m }\n"),
      "volumes.docs", "differs from the volume 'Docs' in the case");
}

TEST(Caveats, TimeoutOfWritersWhoWaitForEver) {
  const std::string mail = "mail: { primary: bravo }";
  ExpectOne(CaveatsWith(mail, "mail: { primary: bravo, timeout: 30s }"), "volumes.mail.timeout",
            "has no effect");
  EXPECT_THAT(CaveatsWith(mail, "mail: { primary: bravo, timeout: 30s, on_relay_loss: fail }"), IsEmpty());
}

TEST(Caveats, WhatDoesNothingYet) {
  ExpectOne(CaveatsWith("mode: manual", "after: [\"logger x\"]"), "failover.after", "no command is run");
  ExpectOne(CaveatsWith("mode: manual", "before: [\"logger x\"]"), "failover.before", "no command is run");
}

}  // namespace
}  // namespace hawser
