#include "common/net/messages.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/record/pack.h"

namespace hawser {
namespace {

std::string Hex(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

Progress SomeProgress(std::uint8_t mark) {
  Progress progress;
  progress.position.journal.bytes.fill(std::byte{mark});
  progress.position.sequence = Sequence(1000 + mark);
  progress.position.group = Group(100 + mark);
  progress.position.digest.bytes.fill(std::byte{0xd0});
  progress.journal_bytes = 70000 + mark;
  progress.time = Timestamp{1'700'000'000'000'000'000 + mark};
  return progress;
}

std::vector<VolumeFact> SomeFacts() {
  return {{VolumeName("docs"), NodeName("alpha"), Generation(3), Sequence(9)},
          {VolumeName("mail"), NodeName("bravo"), Generation(1)}};
}

// Of a batch with two write groups and a refusal.
Answers SomeAnswers() {
  return {{Ack{Sequence(1001), SomeProgress(1), false}, Refusal{RefusalCode::kFenced, "no"},
           Ack{Sequence(1002), SomeProgress(1), false}, Ack{Sequence(1003), SomeProgress(2), true}}};
}

constexpr const char* kProgressHex1 =
    "9394c41001010101010101010101010101010101cd03e965c410d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0ce00011171cf17979cfe"
    "362a0001";
constexpr const char* kProgressHex2 =
    "9394c41002020202020202020202020202020202cd03ea66c410d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0ce00011172cf17979cfe"
    "362a0002";
constexpr const char* kFactsHex = "9294c404646f6373c405616c706861030994c4046d61696cc405627261766f0100";

Hello SomeHello() { return {"demo", NodeName("alpha"), 5, 6, "here", 7, SomeProgress(1).position, true}; }

Promotion SomePromotion() {
  return {true,
          "no",
          "wait",
          {{VolumeName("docs"), "alpha", Generation(2), true, Sequence(13), Sequence(14), true}}};
}

// A change here is a change of the protocol: raise kWireVersion and write it into docs/WIRE_PROTOCOL.md.
TEST(WireGoldenBytes, AreWhatTheProtocolSays) {
  const std::string p1 = kProgressHex1, p2 = kProgressHex2, facts = kFactsHex;
  EXPECT_EQ(Hex(EncodeEnvelope(MessageType::kSubmit)), "48570802");
  const std::string position = p1.substr(2, 82);
  EXPECT_EQ(Hex(Encode(SomeHello())), "98c40464656d6fc405616c7068610506c4046865726507" + position + "c3");
  EXPECT_EQ(Hex(Encode(Welcome{4, 7, "old", SomeProgress(1), SomeProgress(2), SomeFacts()})),
            "960407c4036f6c64" + p1 + p2 + facts);
  EXPECT_EQ(Hex(Encode(Batch{{0, 3}, 5, SomeProgress(1).position, 6})), "9492000305" + position + "06");
  EXPECT_EQ(Hex(Encode(SomeAnswers())), "9292" + p1 + p2 + "94" + "920093cd03e900c2" + "92019207c4026e6f" +
                                            "920093cd03ea00c2" + "920093cd03eb01c3");
  EXPECT_EQ(Hex(Encode(Refusal{RefusalCode::kFenced, "no"})), "9207c4026e6f");
  EXPECT_EQ(Hex(Encode(Report{{"demo", NodeName("alpha"), 7, SomeProgress(1).position},
                              9,
                              SomeProgress(1),
                              {{VolumeName("docs"),
                                ReplicaRole::kPrimary,
                                ReplicaState::kLive,
                                SomeProgress(1),
                                SomeProgress(2),
                                "hot",
                                2,
                                {"x"},
                                3,
                                Generation(4),
                                8}},
                              {{5, "no", SomeProgress(2)}}})),
            "9594c40464656d6fc405616c70686107" + position + "09" + p1 + "919bc404646f63730101" + p1 + p2 +
                "c403686f740291c40178030408" + "919305c4026e6f" + p2);
  EXPECT_EQ(Hex(Encode(Overview{6,
                                SomeProgress(1),
                                SomeProgress(2),
                                SomeFacts(),
                                {{5, OrderKind::kResume}},
                                {{VolumeName("docs"), 8}},
                                true})),
            "9706" + p1 + p2 + facts + "91920502" + "9192c404646f637308" + "c3");
  EXPECT_EQ(
      Hex(Encode(
          Pull{{"demo", NodeName("charlie"), 7, SomeProgress(2).position}, SomeProgress(1).position, 65536})),
      "9394c40464656d6fc407636861726c696507" + p2.substr(2, 82) + position + "ce00010000");
  EXPECT_EQ(Hex(Encode(PullReply{PullReply::Answer::kGone, "old", SomeProgress(1)})), "9302c4036f6c64" + p1);
  EXPECT_EQ(Hex(Encode(Head{SomeProgress(1)})), "91" + p1);
  EXPECT_EQ(Hex(Encode(Order{"demo", NodeName("charlie"), 5, OrderKind::kPause})),
            "94c40464656d6fc407636861726c69650501");
  EXPECT_EQ(Hex(Encode(OrderState{true, {5, "no", SomeProgress(1)}})), "92c39305c4026e6f" + p1);
  EXPECT_EQ(Hex(Encode(PromotionOrder{"demo", 5, NodeName("charlie"), {VolumeName("docs")}, 300})),
            "95c40464656d6f05c407636861726c696591c404646f6373cd012c");
  EXPECT_EQ(Hex(Encode(SomePromotion())),
            "94c3c4026e6fc40477616974"
            "9197c404646f6373c405616c70686102c30d0ec3");
}

template <class Message>
void ExpectRoundTrip(const Message& message) {
  const Buffer bytes = Encode(message);
  const auto decoded = Decode<Message>(bytes);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(Encode(*decoded), bytes);
}

TEST(Messages, DecodeToWhatWasEncoded) {
  ExpectRoundTrip(SomeHello());
  ExpectRoundTrip(Welcome{4, 7, "old", SomeProgress(1), SomeProgress(2), SomeFacts()});
  ExpectRoundTrip(Batch{});
  ExpectRoundTrip(Batch{{1, 2, 255}, 1ULL << 40, SomeProgress(3).position, 9});
  ExpectRoundTrip(Answers{});
  ExpectRoundTrip(SomeAnswers());
  ExpectRoundTrip(Refusal{RefusalCode::kJournalFull, "full\xff"});
  ExpectRoundTrip(Refusal{RefusalCode::kUnknownSession, "who?"});
  ExpectRoundTrip(Refusal{RefusalCode::kAhead, "wait"});
  ExpectRoundTrip(Refusal{RefusalCode::kNodeAlive, "two"});
  ExpectRoundTrip(Report{{"demo", NodeName("alpha"), 7},
                         9,
                         SomeProgress(1),
                         {{VolumeName("docs"), ReplicaRole::kPrimary, ReplicaState::kLive, {}, {}, ""}}});
  ExpectRoundTrip(Overview{1, SomeProgress(1), {}, {}});
  ExpectRoundTrip(Pull{{"demo", NodeName("charlie"), 0}, {}, 0});
  ExpectRoundTrip(PullReply{PullReply::Answer::kFailed, "disk", SomeProgress(9)});
  ExpectRoundTrip(Head{{}});
  ExpectRoundTrip(Order{"demo", NodeName("charlie"), 1, OrderKind::kResume});
  ExpectRoundTrip(OrderState{});
  ExpectRoundTrip(PromotionOrder{"demo", 1, NodeName("charlie"), {}, 0});
  ExpectRoundTrip(SomePromotion());
}

TEST(Messages, EveryTruncationIsRefused) {
  const Buffer whole = Encode(
      Report{{"demo", NodeName("alpha"), 7},
             9,
             SomeProgress(1),
             {{VolumeName("docs"), ReplicaRole::kPrimary, ReplicaState::kLive, SomeProgress(1), {}, "x"}}});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(Decode<Report>(Bytes(whole).first(size))) << size;
}

TEST(Messages, AnswersNameEachGroupOnce) {
  const auto decoded = Decode<Answers>(Encode(SomeAnswers()));
  ASSERT_TRUE(decoded) << decoded.error().message;
  ASSERT_EQ(decoded->answers.size(), 4U);
  EXPECT_EQ(std::get<Ack>(decoded->answers[2]).group, SomeProgress(1));
  EXPECT_EQ(std::get<Ack>(decoded->answers[3]).group, SomeProgress(2));
  EXPECT_TRUE(std::get<Ack>(decoded->answers[3]).repeated);
  EXPECT_EQ(std::get<Refusal>(decoded->answers[1]).text, "no");
}

TEST(Messages, AnAnswerInAGroupThatIsNotListedIsRefused) {
  Packer out;
  out.Array(2).Array(0).Array(1).Array(2).Uint(0).Array(3).Uint(5).Uint(0).Bool(false);
  const auto decoded = Decode<Answers>(out.Finish());
  ASSERT_FALSE(decoded);
  EXPECT_NE(decoded.error().message.find("'write_group'"), std::string::npos) << decoded.error().message;
}

TEST(Messages, TrailingBytesAreRefused) {
  Buffer bytes = Encode(SomeHello());
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(Decode<Hello>(bytes));
}

TEST(Messages, AnotherMessageIsRefused) {
  EXPECT_FALSE(Decode<Hello>(Encode(Head{SomeProgress(1)})));
  EXPECT_FALSE(Decode<Answers>(Encode(Overview{1, SomeProgress(1), SomeProgress(2), {}})));
}

TEST(Messages, AFieldThatIsWrongIsNamed) {
  Hello nobody = SomeHello();
  nobody.node = NodeName("");
  const auto empty_node = Decode<Hello>(Encode(nobody));
  ASSERT_FALSE(empty_node);
  EXPECT_NE(empty_node.error().message.find("'node'"), std::string::npos) << empty_node.error().message;

  const auto unknown_code = Decode<Refusal>(Encode(Refusal{static_cast<RefusalCode>(18), ""}));
  ASSERT_FALSE(unknown_code);
  EXPECT_NE(unknown_code.error().message.find("'code'"), std::string::npos) << unknown_code.error().message;

  const auto report_as = [](ReplicaRole role, ReplicaState state) {
    return Decode<Report>(
        Encode(Report{{"g", NodeName("a"), 1}, 0, {}, {{VolumeName("v"), role, state, {}, {}, ""}}}));
  };
  const auto two_roles = report_as(ReplicaRole::kMixed, ReplicaState::kLive);
  ASSERT_FALSE(two_roles);
  EXPECT_NE(two_roles.error().message.find("'role'"), std::string::npos) << two_roles.error().message;
  const auto no_state = report_as(ReplicaRole::kPrimary, static_cast<ReplicaState>(13));
  ASSERT_FALSE(no_state);
  EXPECT_NE(no_state.error().message.find("'state'"), std::string::npos) << no_state.error().message;

  Packer short_journal;
  short_journal.Array(1)
      .Array(3)
      .Array(4)
      .Binary(AsBytes("short"))
      .Uint(1)
      .Uint(1)
      .Binary(AsBytes("0123456789abcdef"));
  short_journal.Uint(0).Int(0);
  const auto head = Decode<Head>(short_journal.Finish());
  ASSERT_FALSE(head);
  EXPECT_NE(head.error().message.find("'journal'"), std::string::npos) << head.error().message;
}

TEST(Envelope, GivesItsTypeBack) {
  const auto type = DecodeEnvelope(EncodeEnvelope(MessageType::kFrames));
  ASSERT_TRUE(type);
  EXPECT_EQ(*type, MessageType::kFrames);
}

TEST(Envelope, GarbageIsRefused) {
  for (const char* text : {"", "H", "HW", "HTTP", "HW\x08", "hw\x08\x02", "HW\x08\x02x", "HW\x08\x7f"}) {
    const auto type = DecodeEnvelope(AsBytes(text));
    ASSERT_FALSE(type) << text;
    EXPECT_EQ(type.error().code, EINVAL);
  }
}

TEST(Envelope, AnotherVersionIsRefusedNamingBoth) {
  const auto type = DecodeEnvelope(AsBytes("HW\x09\x02"));
  ASSERT_FALSE(type);
  EXPECT_EQ(type.error().code, EPROTONOSUPPORT);
  EXPECT_NE(type.error().message.find("9"), std::string::npos);
  EXPECT_NE(type.error().message.find(std::to_string(kWireVersion)), std::string::npos);
}

}  // namespace
}  // namespace hawser
