#include "common/record/codec.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace hawser {
namespace {

StorePath Path(std::string_view text) { return *StorePath::Parse(text); }

Record Make(Body body) {
  if (std::holds_alternative<NodeSession>(body)) return {{}, {}, {NodeName("alpha"), 77, 0}, std::move(body)};
  return {VolumeName("docs"), Generation(3), {NodeName("alpha"), 77, 5}, std::move(body)};
}

std::string Hex(const Buffer& bytes) {
  std::string text;
  for (const std::byte b : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(b));
  return text;
}

Progress SomeGroup() {
  Progress group;
  group.position = {{}, Sequence(13), Group(4), {}};
  group.position.digest.bytes.fill(std::byte{0xd0});
  group.journal_bytes = 500;
  group.time = {1};
  return group;
}

std::string SomeGroupHex() {
  return "9394c410" + std::string(32, '0') + "0d04c410" + "d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0" + "cd01f401";
}

struct Golden {
  Body body;
  std::string hex;  // the whole header
};

// One of each kind, every optional field in use. These bytes are the format of version 4: if this test fails,
// the format has changed, and kRecordVersion must too.
std::vector<Golden> GoldenRecords() {
  const FileState before{4096, {1'700'000'000'000'000'001}};
  const Timestamp time{1'700'000'000'123'456'789};
  const FileId id{(1ULL << 48) | 9};
  return {
      // clang-format off
      {Write{id, Path("a/b"), 8192, 3, before, time, 0644},
       "960401c404646f63730393c405616c7068614d0597cf0001000000000009c403612f62cd20000392cd1000cf17979cfe362a0001cf17979cfe3d85cd15cd01a4"},
      {Truncate{id, Path("a/b"), 100, before, time, std::nullopt},
       "960402c404646f63730393c405616c7068614d0596cf0001000000000009c403612f626492cd1000cf17979cfe362a0001cf17979cfe3d85cd15c0"},
      {Allocate{id, Path("a/b"), 3, 4096, 8192, before, time, std::nullopt},
       "960403c404646f63730393c405616c7068614d0598cf0001000000000009c403612f6203cd1000cd200092cd1000cf17979cfe362a0001cf17979cfe3d85cd15c0"},
      {Create{id, Path("a/n"), NodeKind::kRegular, 0640, 1000, 100, 0, "", time, "A", "D"},
       "960404c404646f63730393c405616c7068614d059bcf0001000000000009c403612f6e01cd01a0cd03e86400c400cf17979cfe3d85cd15c40141c40144"},
      {Link{id, Path("a/b"), Path("c"), time},
       "960405c404646f63730393c405616c7068614d0594cf0001000000000009c403612f62c40163cf17979cfe3d85cd15"},
      {Unlink{id, Path("a/b"), time},
       "960406c404646f63730393c405616c7068614d0593cf0001000000000009c403612f62cf17979cfe3d85cd15"},
      {Rmdir{id, Path("d"), time},
       "960407c404646f63730393c405616c7068614d0593cf0001000000000009c40164cf17979cfe3d85cd15"},
      {Rename{id, Path("a/b"), Path("c"), RenameMode::kReplace, FileId(8), time, Timestamp{1}, Timestamp{2}},
       "960408c404646f63730393c405616c7068614d0598cf0001000000000009c403612f62c401630008cf17979cfe3d85cd150102"},
      {SetAttr{id, Path("a/b"), 04755, 1, 2, time, Timestamp{-1}},
       "960409c404646f63730393c405616c7068614d0597cf0001000000000009c403612f62cd09ed0102cf17979cfe3d85cd15ff"},
      {SetXattr{id, Path("a/b"), "user.k"},
       "96040ac404646f63730393c405616c7068614d0593cf0001000000000009c403612f62c406757365722e6b"},
      {RemoveXattr{id, Path("a/b"), "user.k"},
       "96040bc404646f63730393c405616c7068614d0593cf0001000000000009c403612f62c406757365722e6b"},
      {Promote{NodeName("bravo"), NodeName("alpha"), Sequence(12), true, 6},
       "960410c404646f63730393c405616c7068614d0595c405627261766fc405616c7068610cc306"},
      {Mark{"note"},
       "960411c404646f63730393c405616c7068614d0591c4046e6f7465"},
      {NodeSession{{{5, 2, Sequence(11), SomeGroup()}, {9, 1, Sequence(13), SomeGroup()}}, 6, 7},
       "960412c4000093c405616c7068614d0093929405020b" + SomeGroupHex() + "9409010d" + SomeGroupHex() + "0607"},
      // clang-format on
  };
}

TEST(RecordCodec, BytesOfEachKindAreAsDocumented) {
  const auto golden = GoldenRecords();
  EXPECT_EQ(golden.size(), std::variant_size_v<Body>);
  for (const Golden& g : golden) EXPECT_EQ(Hex(EncodeRecord(Make(g.body))), g.hex) << KindName(g.body);
}

TEST(RecordCodec, EachKindComesBackAsItWas) {
  for (const Golden& g : GoldenRecords()) {
    const Record record = Make(g.body);
    const auto decoded = DecodeRecord(EncodeRecord(record));
    ASSERT_TRUE(decoded) << decoded.error().Text();
    EXPECT_EQ(*decoded, record);
    EXPECT_FALSE(Describe(record).empty());
  }
}

TEST(RecordCodec, RemedyComesBackAsItWasAndIsOfOrdinaryRecordsOnly) {
  Record record = Make(Unlink{FileId(9), Path("f"), {}});
  record.remedy = RemedyOf{Sequence(7), true};
  const auto decoded = DecodeRecord(EncodeRecord(record));
  ASSERT_TRUE(decoded) << decoded.error().Text();
  EXPECT_EQ(*decoded, record);
  const Buffer bytes = EncodeRecord(record);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(DecodeRecord(Bytes(bytes).first(size)));
  record.remedy = RemedyOf{};
  EXPECT_FALSE(DecodeRecord(EncodeRecord(record))) << "of no record";
  Record mark = Make(Mark{"note"});
  mark.remedy = RemedyOf{Sequence(7), true};
  EXPECT_FALSE(DecodeRecord(EncodeRecord(mark)));
}

TEST(RecordCodec, EveryTruncationIsRefused) {
  for (const Golden& g : GoldenRecords()) {
    const Buffer bytes = EncodeRecord(Make(g.body));
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(DecodeRecord(Bytes(bytes).first(size)));
  }
}

TEST(RecordCodec, DamagedBytesNeverDecodeToSomethingThatCannotBeEncodedAgain) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  for (const Golden& g : GoldenRecords()) {
    const Buffer good = EncodeRecord(Make(g.body));
    for (int i = 0; i < 2000; ++i) {
      Buffer bytes = good;
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
      const auto decoded = DecodeRecord(bytes);
      if (!decoded) continue;
      const auto again = DecodeRecord(EncodeRecord(*decoded));
      ASSERT_TRUE(again) << again.error().Text();
      EXPECT_EQ(*again, *decoded);
    }
  }
}

TEST(RecordCodec, TheWrongPayloadIsRefused) {
  Write write;
  write.file = FileId(9);
  write.path = Path("f");
  write.length = 3;
  const Buffer header = EncodeRecord(Make(write));
  EXPECT_TRUE(DecodeRecord(header, AsBytes("abc")));
  EXPECT_FALSE(DecodeRecord(header, AsBytes("abcd")));
  EXPECT_FALSE(DecodeRecord(header, {}));
  EXPECT_FALSE(DecodeRecord(EncodeRecord(Make(Unlink{FileId(9), Path("f"), {}})), AsBytes("x")));
}

TEST(RecordCodec, MeaninglessRecordsAreRefusedWithTheField) {
  Create symlink;
  symlink.path = Path("l");
  symlink.kind = NodeKind::kSymlink;
  Create no_id;
  no_id.path = Path("f");
  no_id.kind = NodeKind::kRegular;
  Create bad_mode = no_id;
  bad_mode.file = FileId(9);
  bad_mode.mode = 0100644;
  Rename no_replace{FileId(9), Path("a"), Path("b"), RenameMode::kNoReplace, FileId(8), {}};
  Write empty;
  empty.path = Path("f");
  const std::vector<std::pair<Body, std::string>> bad = {
      {symlink, "'target'"},
      {no_id, "'file'"},
      {bad_mode, "'mode'"},
      {no_replace, "'replaced'"},
      {empty, "'length'"},
      {Unlink{FileId(9), StorePath(), {}}, "'path'"},
      {SetXattr{FileId(9), Path("f"), ""}, "'name'"},
      {Promote{NodeName("")}, "'node'"},
      {NodeSession{{{0, 1, Sequence(1), {}}}}, "'answered'"},
      {NodeSession{{{1, 0, Sequence(1), {}}}}, "'answered'"},
      {NodeSession{{{3, 1, Sequence(1), {}}, {3, 1, Sequence(2), {}}}}, "'answered'"},
      {NodeSession{{{UINT64_MAX, 1, Sequence(1), {}}}}, "'answered'"},
  };
  for (const auto& [body, field] : bad) {
    const auto decoded = DecodeRecord(EncodeRecord(Make(body)));
    ASSERT_FALSE(decoded) << field;
    EXPECT_NE(decoded.error().message.find(field), std::string::npos) << decoded.error().message;
  }
}

TEST(RecordCodec, OnlyASessionIsOfNoVolume) {
  Record session = Make(NodeSession{});
  EXPECT_TRUE(DecodeRecord(EncodeRecord(session)));
  session.volume = VolumeName("docs");
  EXPECT_FALSE(DecodeRecord(EncodeRecord(session)));
  session = Make(NodeSession{});
  session.origin.session = 0;
  EXPECT_FALSE(DecodeRecord(EncodeRecord(session)));
  Record mark = Make(Mark{"x"});
  mark.volume = {};
  EXPECT_FALSE(DecodeRecord(EncodeRecord(mark)));
}

TEST(RecordCodec, AnotherVersionOrKindIsNamed) {
  Buffer version = EncodeRecord(Make(Mark{"x"}));
  version[1] = std::byte{1};
  EXPECT_NE(DecodeRecord(version).error().message.find("version 1"), std::string::npos);
  Buffer kind = EncodeRecord(Make(Mark{"x"}));
  kind[2] = std::byte{99};
  EXPECT_NE(DecodeRecord(kind).error().message.find("99"), std::string::npos);
}

}  // namespace
}  // namespace hawser
