#include "common/config/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/bytes.h"

namespace hawser {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

TEST(Units, SizesInEveryUnit) {
  EXPECT_EQ(*ParseSize("7B"), 7u);
  EXPECT_EQ(*ParseSize("512KiB"), 512 * kKiB);
  EXPECT_EQ(*ParseSize("512MiB"), 512 * kMiB);
  EXPECT_EQ(*ParseSize("10GiB"), 10 * kGiB);
  EXPECT_EQ(*ParseSize("2TiB"), 2048 * kGiB);
  EXPECT_EQ(*ParseSize("10 GiB"), 10 * kGiB);
  EXPECT_EQ(*ParseSize("0MiB"), 0u);
}

TEST(Units, DurationsInEveryUnit) {
  EXPECT_EQ(*ParseDuration("250ms"), 250ms);
  EXPECT_EQ(*ParseDuration("5s"), 5s);
  EXPECT_EQ(*ParseDuration("3m"), 3min);
  EXPECT_EQ(*ParseDuration("24h"), 24h);
  EXPECT_EQ(*ParseDuration("7d"), 7 * 24h);
}

TEST(Units, NumberWithoutUnitIsRefusedWithTheOneToWrite) {
  EXPECT_THAT(ParseSize("10").error().message, HasSubstr("'10' has no unit; write for example 10GiB"));
  EXPECT_THAT(ParseDuration("30").error().message, HasSubstr("'30' has no unit; write for example 30s"));
}

TEST(Units, OtherTextIsRefusedWithTheUnitsThereAre) {
  for (const char* text : {"10GB", "10gib", "1.5GiB", "1e3MiB", "10GiB later"}) {
    const auto size = ParseSize(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().code, EINVAL);
    EXPECT_THAT(size.error().message, HasSubstr("B, KiB, MiB, GiB, TiB"));
  }
  for (const char* text : {"5 seconds", "5S", "1h30m"}) {
    const auto duration = ParseDuration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_THAT(duration.error().message, HasSubstr("ms, s, m, h, d"));
  }
}

TEST(Units, TextWithoutNumberIsRefused) {
  for (const char* text : {"", "GiB", "-1GiB", "+1GiB", " 1GiB", "ten"}) {
    ASSERT_FALSE(ParseSize(text)) << text;
    EXPECT_THAT(ParseSize(text).error().message, HasSubstr("a whole number and a unit"));
  }
}

TEST(Units, WhatDoesNotFitIsTooLarge) {
  EXPECT_EQ(*ParseSize("9223372036854775807B"), 9223372036854775807u);
  for (const char* text : {"9223372036854775808B", "8388608TiB", "99999999999999999999B"}) {
    ASSERT_FALSE(ParseSize(text)) << text;
    EXPECT_THAT(ParseSize(text).error().message, HasSubstr("too large"));
  }
  EXPECT_TRUE(ParseDuration("36500d"));
  EXPECT_FALSE(ParseDuration("36501d"));
}

}  // namespace
}  // namespace hawser
