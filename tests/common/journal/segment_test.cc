#include "common/journal/segment.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace hawser {
namespace {

SegmentHeader GoldenHeader() {
  SegmentHeader header;
  for (std::size_t i = 0; i < 16; ++i) {
    header.before.position.journal.bytes[i] = static_cast<std::byte>(i);
    header.before.position.digest.bytes[i] = static_cast<std::byte>(0xf0 + i);
  }
  header.before.position.sequence = Sequence(1000);
  header.before.position.group = Group(41);
  header.before.journal_bytes = 123456;
  header.before.time = Timestamp{0x0102030405060708};
  header.created = Timestamp{0x1112131415161718};
  return header;
}

std::string Hex(Bytes bytes) {
  std::string text;
  for (const std::byte b : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(b));
  return text;
}

// If these fail, the format has changed: raise kSegmentVersion, and docs/JOURNAL_FORMAT.md.
TEST(Segment, GoldenHeader) {
  const Buffer bytes = EncodeSegmentHeader(GoldenHeader());
  ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
  EXPECT_EQ(Hex(Bytes(bytes).first(96)),
            "48575347010000102a00000000000000e90300000000000040e2010000000000080706050403020118171615"
            "14131211000102030405060708090a0b0c0d0e0ff0f1f2f3f4f5f6f7f8f9fafbfcfdfeffedf7803f27e9e08c"
            "71998144b98fb08d");
  EXPECT_TRUE(IsAllZeros(Bytes(bytes).subspan(96)));
}

TEST(Segment, GoldenStamp) {
  const auto stamp = EncodeStamp(Stamp{4096}, 8192, GoldenHeader().before.position.digest);
  EXPECT_EQ(Hex(stamp), "001000000000000087ee00844d4f17f3");
}

TEST(Segment, HeaderDecodedIsTheSame) {
  const SegmentHeader header = GoldenHeader();
  const auto decoded = DecodeSegmentHeader(EncodeSegmentHeader(header));
  ASSERT_TRUE(decoded) << decoded.error().Text();
  EXPECT_EQ(decoded->before, header.before);
  EXPECT_EQ(decoded->created, header.created);
  EXPECT_EQ(decoded->first_group(), Group(42));
}

TEST(Segment, AnyByteOfTheHeaderChangedIsRefused) {
  const Buffer good = EncodeSegmentHeader(GoldenHeader());
  for (std::size_t i = 0; i < good.size(); ++i) {
    Buffer bad = good;
    bad[i] ^= std::byte{0x10};
    const auto decoded = DecodeSegmentHeader(bad);
    ASSERT_FALSE(decoded) << "byte " << i;
    EXPECT_EQ(decoded.error().code, i == 4 || i == 5 ? ENOTSUP : EBADMSG) << "byte " << i;
  }
}

TEST(Segment, StampHoldsForItsPlaceAndFrameOnly) {
  const Digest digest = GoldenHeader().before.position.digest;
  const auto stamp = EncodeStamp(Stamp{4096}, 8192, digest);
  EXPECT_EQ(DecodeStamp(stamp, 8192, digest), Stamp{4096});
  EXPECT_EQ(DecodeStamp(stamp, 8224, digest), std::nullopt);
  EXPECT_EQ(DecodeStamp(stamp, 8192, Digest{}), std::nullopt);
  EXPECT_EQ(DecodeStamp(Bytes(stamp).first(15), 8192, digest), std::nullopt);
}

TEST(Segment, NamesAreFirstGroups) {
  EXPECT_EQ(SegmentName(Group(42)), "00000000000000000042.hwj");
  EXPECT_EQ(ParseSegmentName("00000000000000000042.hwj"), Group(42));
  EXPECT_EQ(ParseSegmentName(SegmentName(Group(UINT64_MAX))), Group(UINT64_MAX));
  for (const char* name :
       {"", "lock", "42.hwj", "00000000000000000000.hwj", "0000000000000000004x.hwj",
        "99999999999999999999.hwj", "00000000000000000042.hwj~", "+0000000000000000042.hwj"}) {
    EXPECT_EQ(ParseSegmentName(name), std::nullopt) << name;
  }
}

TEST(Segment, ListLeavesOtherFilesAlone) {
  const test::TempDir dir;
  for (const char* name : {"lock", "notes", "00000000000000000007.hwj", "00000000000000000001.hwj"})
    std::ofstream(dir / name) << "x";
  const auto groups = ListSegments(dir.path());
  ASSERT_TRUE(groups);
  EXPECT_EQ(*groups, (std::vector<Group>{Group(1), Group(7)}));
  const auto nowhere = ListSegments(dir / "nowhere");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ENOENT);
}

TEST(Segment, SlotsAreAlignedSoThatStampAndFrameShareASector) {
  EXPECT_EQ(NextSlot(4096, 1), 4096U + 32U);
  EXPECT_EQ(NextSlot(4096, 16), 4096U + 32U);
  EXPECT_EQ(NextSlot(4096, 17), 4096U + 64U);
  EXPECT_EQ(kSegmentHeaderBytes % kSlotAlignment, 0U);
}

}  // namespace
}  // namespace hawser
