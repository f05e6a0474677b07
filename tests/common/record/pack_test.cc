#include "common/record/pack.h"

#include <gtest/gtest.h>

namespace hawser {
namespace {

TEST(Pack, WhatIsPackedIsUnpacked) {
  Packer out;
  out.Array(6).Uint(7).Int(-3).Bool(true).Nil().Text("\xff name");
  out.Array(2).Uint(1).Uint(UINT64_MAX);
  const Buffer bytes = out.Finish();

  Unpacker in(bytes);
  in.Array("all", 6);
  EXPECT_EQ(in.Uint("a"), 7U);
  EXPECT_EQ(in.Int("b"), -3);
  EXPECT_TRUE(in.Bool("c"));
  EXPECT_TRUE(in.IsNil());
  EXPECT_EQ(in.Text("d"), "\xff name");
  in.Array("e", 2);
  EXPECT_EQ(in.Uint("f"), 1U);
  EXPECT_EQ(in.Uint("g"), UINT64_MAX);
  EXPECT_TRUE(in.Finish());
}

TEST(Pack, TheFirstFailureIsNamed) {
  Packer out;
  out.Array(2).Uint(300).Text("x");
  const Buffer bytes = out.Finish();
  Unpacker in(bytes);
  in.Array("all", 2);
  EXPECT_EQ(in.Uint("small", 255), 0U);
  EXPECT_EQ(in.Uint("number"), 0U);
  const Status status = in.Finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "field 'small' is too large");
}

TEST(Pack, MissingAndSuperfluousFieldsAreRefused) {
  Packer out;
  out.Array(1).Uint(1);
  const Buffer bytes = out.Finish();
  {
    Unpacker in(bytes);
    in.Array("all", 1);
    in.Uint("a");
    in.Uint("b");
    EXPECT_EQ(in.Finish().error().message, "field 'b' is missing");
  }
  {
    Unpacker in(bytes);
    in.Array("all", 1);
    EXPECT_FALSE(in.Finish());
  }
}

TEST(Pack, GarbageIsRefusedWithoutThrowing) {
  for (const std::string_view garbage :
       {"", "\xc1", "\xdd\xff\xff\xff\xff", "\x92\x01", "\x01\x01", "\xc6\xff\xff\xff\xff"}) {
    Unpacker in(AsBytes(garbage));
    in.Array("all");
    EXPECT_FALSE(in.Finish()) << garbage.size();
  }
}

}  // namespace
}  // namespace hawser
