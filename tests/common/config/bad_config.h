// Tables of bad configs: what changes in a good one, and what the error has to say and for which line.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/config/config.h"

namespace hawser {

inline constexpr char kGood[] = R"(group: demo
relay:
  address: 127.0.0.1
  ports: { write: 7401, stream: 7402, control: 7403 }
  journal: /hawser/relay
  keep: { size: 10GiB, time: 24h }
  when_full: drop_slowest
volumes:
  docs: { primary: alpha }
  mail: { primary: bravo }
nodes:
  alpha:
    state: /hawser/alpha
    volumes:
      docs:
        store: /srv/docs
        mount: /mnt/docs
  bravo:
    state: /hawser/bravo
    volumes:
      mail:
        store: /srv/mail
        mount: /mnt/mail
failover:
  mode: manual
  candidates: [alpha]
)";

struct BadConfig {
  const char* name;
  const char* replace;  // this text of kGood, found once or more; the first is replaced
  const char* with;
  int line;
  std::vector<const char*> says;
};

inline std::string Broken(const BadConfig& bad) {
  std::string text = kGood;
  const auto at = text.find(bad.replace);
  EXPECT_NE(at, std::string::npos) << "the test's own text '" << bad.replace << "' isn't in the good config";
  return text.replace(at, std::string(bad.replace).size(), bad.with);
}

// It is refused with one line that says where, what, and what to do.
inline void ExpectRefused(const BadConfig& bad) {
  using ::testing::HasSubstr;
  using ::testing::StartsWith;
  const auto config = ParseConfig(Broken(bad), "bad.yaml");
  ASSERT_FALSE(config) << "was accepted";
  EXPECT_EQ(config.error().code, EINVAL);
  EXPECT_THAT(config.error().message, StartsWith("bad.yaml:" + std::to_string(bad.line) + ": "));
  for (const char* part : bad.says) EXPECT_THAT(config.error().message, HasSubstr(part));
  EXPECT_THAT(config.error().message, HasSubstr("; ")) << "says nothing about what to do";
  EXPECT_EQ(config.error().message.find('\n'), std::string::npos);
}

}  // namespace hawser
