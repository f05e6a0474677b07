#include "common/journal/frame.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/journal/format.h"
#include "tests/common/journal/journal_fixture.h"

namespace hawser {
namespace {

using test::OwnedFrame;
using ::testing::HasSubstr;

std::string Hex(Bytes bytes) {
  std::string text;
  for (const std::byte b : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(b));
  return text;
}

// The state after group 41 and sequence 1000 of a journal with id 000102...0f.
Progress Before() {
  Progress progress;
  for (std::size_t i = 0; i < 16; ++i) {
    progress.position.journal.bytes[i] = static_cast<std::byte>(i);
    progress.position.digest.bytes[i] = static_cast<std::byte>(0xf0 + i);
  }
  progress.position.sequence = Sequence(1000);
  progress.position.group = Group(41);
  progress.journal_bytes = 123456;
  progress.time = Timestamp{1};
  return progress;
}

Frame GoldenFrame() {
  return MakeFrame(Before(), Timestamp{0x0102030405060708},
                   {{AsBytes("header-1"), AsBytes("payload")}, {AsBytes("header-2"), {}}});
}

Buffer Concatenated(const Frame& frame) {
  Buffer bytes = frame.front;
  for (const Entry& entry : frame.entries) {
    bytes.insert(bytes.end(), entry.header.begin(), entry.header.end());
    bytes.insert(bytes.end(), entry.payload.begin(), entry.payload.end());
  }
  return bytes;
}

// If this fails, the format has changed: raise kFrameVersion and kSegmentVersion, and docs/JOURNAL_FORMAT.md.
TEST(Frame, GoldenBytes) {
  EXPECT_EQ(Hex(Concatenated(GoldenFrame())),
            "4857465201006800020000000000000017000000000000002a00000000000000e903000000000000cfe20100"
            "000000000807060504030201000102030405060708090a0b0c0d0e0ff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
            "9fc323f6eb00129dfd7a7d6fec9116c5080000000700000008000000000000006865616465722d317061796c"
            "6f61646865616465722d32");
}

TEST(Frame, CountsOnFromThePreviousGroup) {
  const FrameHeader header = GoldenFrame().header;
  EXPECT_EQ(header.group, Group(42));
  EXPECT_EQ(header.first_sequence, Sequence(1001));
  EXPECT_EQ(header.last_sequence(), Sequence(1002));
  EXPECT_EQ(header.frame_bytes(), kFrameHeaderBytes + 16 + 23);
  EXPECT_EQ(header.journal_bytes, 123456 + header.frame_bytes());
  EXPECT_EQ(header.progress().position.digest, header.digest);
  EXPECT_TRUE(CheckFollows(Before(), header));
}

TEST(Frame, ParsedBackIsTheSame) {
  const Frame made = GoldenFrame();
  Buffer bytes = Concatenated(made);
  bytes.resize(bytes.size() + 10);  // more may follow
  const auto parsed = ParseFrame(bytes);
  ASSERT_TRUE(parsed) << parsed.error().Text();
  EXPECT_EQ(parsed->front, made.front);
  ASSERT_EQ(parsed->entries.size(), 2U);
  EXPECT_EQ(AsText(parsed->entries[0].header), "header-1");
  EXPECT_EQ(AsText(parsed->entries[0].payload), "payload");
  EXPECT_EQ(AsText(parsed->entries[1].header), "header-2");
  EXPECT_TRUE(parsed->entries[1].payload.empty());
  EXPECT_EQ(parsed->header.progress(), made.header.progress());
}

TEST(Frame, AnyByteChangedIsRefused) {
  const Buffer good = Concatenated(GoldenFrame());
  for (std::size_t i = 0; i < good.size(); ++i) {
    Buffer bad = good;
    bad[i] ^= std::byte{1};
    const auto parsed = ParseFrame(bad);
    ASSERT_FALSE(parsed) << "byte " << i;
    EXPECT_EQ(parsed.error().code, EBADMSG);
  }
}

TEST(Frame, CutAnywhereIsRefused) {
  const Buffer good = Concatenated(GoldenFrame());
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(ParseFrame(Bytes(good).first(size))) << size;
}

TEST(Frame, SplitWithoutALookAtTheDigest) {
  const Buffer good = Concatenated(GoldenFrame());
  Buffer bad = good;
  bad.back() ^= std::byte{1};
  const auto split = SplitFrame(bad);
  ASSERT_TRUE(split) << split.error().Text();
  EXPECT_EQ(split->header.progress(), GoldenFrame().header.progress());
  EXPECT_EQ(split->entries.size(), 2U);
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(SplitFrame(Bytes(good).first(size))) << size;
}

TEST(Frame, PartsMayLeaveOutEmptyPayloads) {
  const Frame made = GoldenFrame();
  const std::vector<Bytes> all{AsBytes("header-1"), AsBytes("payload"), AsBytes("header-2"), Bytes{}};
  for (const std::size_t count : {3U, 4U}) {
    const auto parsed = ParseFrameParts(made.front, std::span(all).first(count));
    ASSERT_TRUE(parsed) << parsed.error().Text();
    EXPECT_EQ(AsText(parsed->entries[1].header), "header-2");
    EXPECT_TRUE(parsed->entries[1].payload.empty());
  }
}

TEST(Frame, PartsThatDoNotFitAreRefused) {
  const Frame made = GoldenFrame();
  const auto refused = [&](const std::vector<Bytes>& parts) {
    const auto parsed = ParseFrameParts(made.front, parts);
    return !parsed && parsed.error().code == EBADMSG;
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({AsBytes("header-1"), AsBytes("payload")}));
  EXPECT_TRUE(refused({AsBytes("header-1"), AsBytes("payloa"), AsBytes("header-2")}));
  EXPECT_TRUE(refused({AsBytes("header-1"), AsBytes("payloax"), AsBytes("header-2")}));
  EXPECT_TRUE(refused({AsBytes("header-1payload"), AsBytes("header-2")}));
  EXPECT_TRUE(refused({AsBytes("header-1"), AsBytes("payload"), AsBytes("header-2"), AsBytes("more")}));
}

TEST(Frame, ImpossibleSizesAreRefusedBeforeAnythingIsAllocated) {
  const auto with = [](std::size_t offset, std::uint32_t value) {
    Buffer bytes = Concatenated(GoldenFrame());
    for (std::size_t i = 0; i < 4; ++i) bytes[offset + i] = static_cast<std::byte>(value >> (8 * i));
    return bytes;
  };
  EXPECT_FALSE(FrontBytes(with(8, 0)));
  EXPECT_FALSE(FrontBytes(with(8, kMaxFrameRecords + 1)));
  EXPECT_TRUE(FrontBytes(with(8, kMaxFrameRecords)));
  const Bytes whole = Bytes();
  EXPECT_FALSE(FrontBytes(whole));
  const Buffer long_header = with(kFrameHeaderBytes, kMaxRecordHeaderBytes + 1);
  EXPECT_FALSE(DecodeFront(Bytes(long_header).first(kFrameHeaderBytes + 16)));
  const Buffer long_payload = with(kFrameHeaderBytes + 4, kMaxFramePayloadBytes + 1);
  EXPECT_FALSE(DecodeFront(Bytes(long_payload).first(kFrameHeaderBytes + 16)));
  const Buffer wrong_sum = with(16, 24);
  EXPECT_FALSE(DecodeFront(Bytes(wrong_sum).first(kFrameHeaderBytes + 16)));
}

TEST(Frame, AnotherVersionIsNamed) {
  Buffer bytes = Concatenated(GoldenFrame());
  bytes[4] = std::byte{9};
  const auto parsed = FrontBytes(bytes);
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().message, HasSubstr("version 9"));
}

TEST(Frame, OnlyTheNextFrameOfTheSameChainFollows) {
  const FrameHeader good = GoldenFrame().header;
  const auto refused = [](const FrameHeader& header, const char* why) {
    const Status status = CheckFollows(Before(), header);
    ASSERT_FALSE(status) << why;
    EXPECT_EQ(status.error().code, EBADMSG);
    EXPECT_THAT(status.error().message, HasSubstr(why));
  };
  FrameHeader other = good;
  other.journal.bytes[3] = std::byte{0xff};
  refused(other, "of journal");
  other = good;
  other.group = Group(43);
  refused(other, "expected group 42");
  other = good;
  other.first_sequence = Sequence(1002);
  refused(other, "begins with sequence 1002");
  other = good;
  other.previous.bytes[0] = std::byte{0};
  refused(other, "continues from digest");
  other = good;
  other.journal_bytes += 1;
  refused(other, "bytes of journal");
}

}  // namespace
}  // namespace hawser
