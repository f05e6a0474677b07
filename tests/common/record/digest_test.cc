#include "common/record/digest.h"

#include <gtest/gtest.h>

namespace hawser {
namespace {

TEST(Digester, GivesXxh3OfTheConcatenation) {
  Digester digester;
  digester.Add(AsBytes("haw"));
  digester.Add(AsBytes("ser"));
  const Digest parts = digester.Finish();
  digester.Add(AsBytes("hawser"));
  EXPECT_EQ(parts, digester.Finish());
  // The published digest of nothing.
  EXPECT_EQ(digester.Finish().Hex(), "99aa06d3014798d86001c324468d497f");
}

}  // namespace
}  // namespace hawser
