#include "cli/record_json.h"

#include <gtest/gtest.h>

namespace hawser::cli {
namespace {

StorePath PathOf(const std::string& text) {
  auto path = StorePath::Parse(text);
  EXPECT_TRUE(path) << text;
  return path ? *path : StorePath();
}

Record RecordOf(Body body) {
  return {VolumeName("docs"), Generation(3), Origin{NodeName("alpha"), 7, 9}, std::move(body)};
}

TEST(RecordJson, WriteHasEveryField) {
  const Timestamp time{1'700'000'000'123'456'789};
  const Json json =
      ToJson(RecordOf(Write{FileId(42), PathOf("a/b"), 4096, 512, FileState{100, time}, time, {}}), 512);
  EXPECT_EQ(json["kind"], "write");
  EXPECT_EQ(json["volume"], "docs");
  EXPECT_EQ(json["generation"], 3);
  EXPECT_EQ(json["file"], 42);
  EXPECT_EQ(json["path"], "a/b");
  EXPECT_EQ(json["offset"], 4096);
  EXPECT_EQ(json["length"], 512);
  EXPECT_EQ(json["payload_bytes"], 512);
  EXPECT_EQ(json["before"]["size"], 100);
  EXPECT_EQ(json["mtime"], "2023-11-14T22:13:20.123456789Z");
  EXPECT_EQ(json["origin"], (Json{{"node", "alpha"}, {"session", 7}, {"number", 9}}));
}

TEST(RecordJson, NamesThatAreNotUtf8AreEscaped) {
  const Json json = ToJson(
      RecordOf(Rename{FileId(1), PathOf("a\xff"), PathOf("b\nc"), RenameMode::kExchange, FileId(5), {}}), 0);
  EXPECT_EQ(json["path"], "a\\xff");
  EXPECT_EQ(json["new_path"], "b\nc");
  EXPECT_EQ(json["rename_mode"], "exchange");
  EXPECT_EQ(json["replaced"], 5);
  EXPECT_NO_THROW(static_cast<void>(json.dump()));
}

TEST(RecordJson, WhatIsNotSetIsLeftOut) {
  SetAttr body{FileId(1), PathOf("a"), 0640, {}, {}, {}, {}};
  const Json json = ToJson(RecordOf(body), 0);
  EXPECT_EQ(json["mode"], "0640");
  EXPECT_FALSE(json.contains("uid"));
  EXPECT_FALSE(json.contains("mtime"));
}

TEST(RecordJson, TimesBefore1970) { EXPECT_EQ(IsoTime(Timestamp{-1}), "1969-12-31T23:59:59.999999999Z"); }

}  // namespace
}  // namespace hawser::cli
