// What is wrong is refused in words, and concerns nobody else: nothing is journaled, others are served on.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <zmq.hpp>

#include "common/base/unique_fd.h"
#include "common/net/limits.h"
#include "tests/relay/fixture.h"

namespace hawser::test {
namespace {

using Parts = std::vector<std::string>;

std::string Text(const Buffer& bytes) { return std::string(AsText(bytes)); }

struct BadMessage {
  std::string name;
  Parts parts;
  RefusalCode code;
  std::string says;  // is in the refusal's text
};

class BadInputTest : public RelayTest {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Start());
    ASSERT_TRUE(SayHello(kAlpha, 1));
    ASSERT_TRUE(SayHello(kBravo, 1));
    bravo_.emplace(context_, config_.relay.WriteEndpoint(), kBravo, kMail, SessionOf(kBravo));
    before_ = HeadNow();
  }

  // The header and payload that alpha might send.
  static Record GoodRecord() {
    Record record;
    record.volume = kDocs;
    record.generation = Generation(1);
    record.origin = {kAlpha, 1, 1};
    hawser::Write write;
    write.file = FileId(7);
    write.path = *StorePath::Parse("x");
    write.length = 5;
    record.body = write;
    return record;
  }
  static std::string Header(const std::function<void(Record&)>& change = [](Record&) {}) {
    Record record = GoodRecord();
    change(record);
    return Text(EncodeRecord(record));
  }

  // One record more than a batch may have.
  static Parts TooMany() {
    Parts parts{Text(EncodeEnvelope(MessageType::kSubmit)), Text(Encode(Batch{.cuts = {}, .run = kRun}))};
    for (std::size_t i = 0; i <= kMaxBatchRecords; ++i) {
      parts.push_back(Header([i](Record& r) { r.origin.number = 1 + i; }));
      parts.push_back("hello");
    }
    return parts;
  }

  zmq::socket_t Connect(const std::string& endpoint) {
    zmq::socket_t socket(context_.zmq(), zmq::socket_type::req);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::rcvtimeo, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
    socket.connect(endpoint);
    return socket;
  }

  void Send(zmq::socket_t& socket, const Parts& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto flags = i + 1 < parts.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
      ASSERT_TRUE(socket.send(zmq::buffer(parts[i]), flags));
    }
  }

  // Sends it and expects a refusal; then that a good request is granted, and the journal holds nothing else.
  void ExpectRefused(const std::string& endpoint, const BadMessage& bad) {
    SCOPED_TRACE(bad.name);
    zmq::socket_t socket = Connect(endpoint);
    Send(socket, bad.parts);
    zmq::message_t envelope;
    zmq::message_t body;
    ASSERT_TRUE(socket.recv(envelope));
    ASSERT_TRUE(socket.recv(body));
    const Refusal refusal = RefusalIn(envelope.to_string(), AsBytes(body.to_string_view()));
    EXPECT_EQ(refusal.code, bad.code) << refusal.text;
    EXPECT_NE(refusal.text.find(bad.says), std::string::npos) << refusal.text;
  }

  // Of the request, or of the only record in it.
  static Refusal RefusalIn(const std::string& envelope, Bytes body) {
    if (envelope == Text(EncodeEnvelope(MessageType::kRefusal))) {
      if (const auto refusal = Decode<Refusal>(body)) return *refusal;
    } else if (const auto answers = Decode<Answers>(body); answers && answers->answers.size() == 1) {
      if (const auto* refusal = std::get_if<Refusal>(&answers->answers[0])) return *refusal;
    }
    return {RefusalCode::kBadMessage, "no refusal"};
  }

  // bravo writes: alpha's numbers are for what is bad.
  void ExpectServing() {
    const auto ack = bravo_->Write("good");
    ASSERT_TRUE(ack) << ack.error().Text();
    ++good_;
    EXPECT_EQ(ack->sequence, Sequence(before_.value + good_));
    EXPECT_EQ(HeadNow(), ack->sequence);
  }

  std::optional<Primary> bravo_;
  Sequence before_;
  std::uint64_t good_ = 0;
};

TEST_F(BadInputTest, TheWritePortRefusesInWordsAndServesOn) {
  const std::string submit = Text(EncodeEnvelope(MessageType::kSubmit));
  const std::string hello = Text(EncodeEnvelope(MessageType::kHello));
  const std::string header = Header();
  const std::string batch = Text(Encode(Batch{.cuts = {}, .run = kRun}));
  const std::string cut = Text(Encode(Batch{.cuts = {1}, .run = kRun}));
  const std::string second = Header([](Record& r) { r.origin.number = 2; });
  const std::vector<BadMessage> table = {
      {"garbage", {"GET / HTTP/1.1"}, RefusalCode::kBadMessage, "envelope"},
      {"empty", {""}, RefusalCode::kBadMessage, "envelope"},
      {"another wire version", {"HW\x7e\x02", batch, header, "hello"}, RefusalCode::kWrongVersion, "126"},
      {"unknown type", {"HW\x08\x63", batch, header, "hello"}, RefusalCode::kBadMessage, "99"},
      {"a message for another port",
       {Text(EncodeEnvelope(MessageType::kStatus))},
       RefusalCode::kBadMessage,
       "port"},
      {"no parts", {submit}, RefusalCode::kBadMessage, "parts"},
      {"no records", {submit, batch}, RefusalCode::kBadMessage, "parts"},
      {"payload missing", {submit, batch, header}, RefusalCode::kBadMessage, "parts"},
      {"a part too many", {submit, batch, header, "hello", "more"}, RefusalCode::kBadMessage, "parts"},
      {"no batch", {submit, header, header, "hello"}, RefusalCode::kBadMessage, ""},
      {"a cut behind the last", {submit, cut, header, "hello"}, RefusalCode::kBadMessage, "cut"},
      {"cuts out of order",
       {submit, Text(Encode(Batch{.cuts = {1, 1}, .run = kRun})), header, "hello", second, "hello"},
       RefusalCode::kBadMessage,
       "cut"},
      {"numbers out of order",
       {submit, batch, second, "hello", header, "hello"},
       RefusalCode::kBadMessage,
       "number"},
      {"one of two records truncated",
       {submit, batch, header, "hello", second.substr(0, 20), "hello"},
       RefusalCode::kBadMessage,
       "record"},
      {"too many records", TooMany(), RefusalCode::kTooLarge, "limit"},
      {"header truncated",
       {submit, batch, header.substr(0, 20), "hello"},
       RefusalCode::kBadMessage,
       "record"},
      {"header empty", {submit, batch, "", "hello"}, RefusalCode::kBadMessage, "record"},
      {"header followed by more", {submit, batch, header + "x", "hello"}, RefusalCode::kBadMessage, "record"},
      {"header is noise",
       {submit, batch, std::string(200, '\xc1'), "hello"},
       RefusalCode::kBadMessage,
       "record"},
      {"another record version",
       {submit, batch, "\x96\x09" + header.substr(2), "hello"},
       RefusalCode::kBadMessage,
       "version"},
      {"payload too short", {submit, batch, header, "hell"}, RefusalCode::kBadMessage, "payload"},
      {"payload too long", {submit, batch, header, "hello!"}, RefusalCode::kBadMessage, "payload"},
      {"header oversized",
       {submit, batch, std::string(70'000, 'h'), "hello"},
       RefusalCode::kTooLarge,
       "limit"},
      {"payload oversized",
       {submit, batch, header, std::string(kMaxPayloadBytes + 1, 'p')},
       RefusalCode::kTooLarge,
       "limit"},
      {"unknown node",
       {submit, batch, Header([](Record& r) { r.origin.node = NodeName("mallory"); }), "hello"},
       RefusalCode::kUnknownNode,
       "mallory"},
      {"unknown volume",
       {submit, batch, Header([](Record& r) { r.volume = VolumeName("attic"); }), "hello"},
       RefusalCode::kUnknownVolume,
       "attic"},
      {"not the primary",
       {submit, batch, Header([](Record& r) { r.volume = kMail; }), "hello"},
       RefusalCode::kNotPrimary,
       "bravo"},
      {"an older generation",
       {submit, batch, Header([](Record& r) { r.generation = Generation(0); }), "hello"},
       RefusalCode::kFenced,
       "generation"},
      {"out of turn",
       {submit, batch, Header([](Record& r) { r.origin.number = 0; }), "hello"},
       RefusalCode::kOutOfTurn,
       "number 0"},
      {"ahead of what hasn't come",
       {submit, batch, Header([](Record& r) { r.origin.number = 9; }), "hello"},
       RefusalCode::kAhead,
       "number 9"},
      {"made for another run of the relay",
       {submit, Text(Encode(Batch{.cuts = {}, .run = kRun + 1})), header, "hello"},
       RefusalCode::kOtherRun,
       "started"},
      {"no hello",
       {submit, batch, Header([](Record& r) { r.origin.session = 5; }), "hello"},
       RefusalCode::kUnknownSession,
       "hello"},
      {"a promotion",
       {submit, batch, Header([](Record& r) { r.body = Promote{kAlpha}; }), ""},
       RefusalCode::kBadMessage,
       "promote"},
      {"hello truncated", {hello, "\x92"}, RefusalCode::kBadMessage, ""},
      {"hello without a node",
       {hello, Text(Encode(HelloOf(NodeName(""), 1)))},
       RefusalCode::kBadMessage,
       "node"},
      {"hello of a stranger",
       {hello, Text(Encode(HelloOf(NodeName("mallory"), 1)))},
       RefusalCode::kUnknownNode,
       "mallory"},
      {"hello of another group",
       {hello, Text(Encode(Hello{.group = "other", .node = kAlpha, .where = {}, .known = {}}))},
       RefusalCode::kOtherGroup,
       "other"},
  };
  for (const BadMessage& bad : table) {
    ASSERT_NO_FATAL_FAILURE(ExpectRefused(config_.relay.WriteEndpoint(), bad));
    ASSERT_NO_FATAL_FAILURE(ExpectServing());
  }
  EXPECT_EQ(AskStatus()["relay"]["refused"], table.size());
  EXPECT_EQ(ReadJournal().size(), before_.value + good_);
}

TEST_F(BadInputTest, TheControlPortRefusesInWordsAndServesOn) {
  const std::string report = Text(EncodeEnvelope(MessageType::kReport));
  const std::string pull = Text(EncodeEnvelope(MessageType::kPull));
  const std::string good = Text(Encode(Report{{config_.group, kAlpha, 1}, 0, {}, {}}));
  const std::vector<BadMessage> table = {
      {"garbage", {std::string(100'000, '\0')}, RefusalCode::kBadMessage, "envelope"},
      {"another wire version", {"HW\x7e\x10", good}, RefusalCode::kWrongVersion, "126"},
      {"a record",
       {Text(EncodeEnvelope(MessageType::kSubmit)), Header(), "hello"},
       RefusalCode::kBadMessage,
       "port"},
      {"report truncated", {report, good.substr(0, 7)}, RefusalCode::kBadMessage, ""},
      {"report with more", {report, good, "x"}, RefusalCode::kBadMessage, "parts"},
      {"report is a pull",
       {report, Text(Encode(Pull{{config_.group, kAlpha, 1}, {}, 1}))},
       RefusalCode::kBadMessage,
       ""},
      {"report of a stranger",
       {report, Text(Encode(Report{{config_.group, NodeName("mallory"), 1}, 0, {}, {}}))},
       RefusalCode::kUnknownNode,
       "mallory"},
      {"pull of a stranger",
       {pull, Text(Encode(Pull{{config_.group, NodeName("mallory"), 1}, {}, 1}))},
       RefusalCode::kUnknownNode,
       "mallory"},
      {"report of another group",
       {report, Text(Encode(Report{{"other", kAlpha, 1}, 0, {}, {}}))},
       RefusalCode::kOtherGroup,
       "other"},
      {"pull of another group",
       {pull, Text(Encode(Pull{{"other", kAlpha, 1}, {}, 1}))},
       RefusalCode::kOtherGroup,
       "other"},
      {"report of a session that the relay doesn't know",
       {report, Text(Encode(Report{{config_.group, kAlpha, 99}, 0, {}, {}}))},
       RefusalCode::kUnknownSession,
       "99"},
      {"pull is noise", {pull, std::string(5000, '\x9f')}, RefusalCode::kBadMessage, ""},
      {"status with a body",
       {Text(EncodeEnvelope(MessageType::kStatus)), "please"},
       RefusalCode::kBadMessage,
       "parts"},
  };
  for (const BadMessage& bad : table) {
    ASSERT_NO_FATAL_FAILURE(ExpectRefused(config_.relay.ControlEndpoint(), bad));
    ASSERT_NO_FATAL_FAILURE(ExpectServing());
  }
}

TEST_F(BadInputTest, WhatIsTooLargeForTheSocketEndsThatConnectionOnly) {
  for (const std::string& endpoint :
       {config_.relay.WriteEndpoint(), config_.relay.ControlEndpoint(), config_.relay.StreamEndpoint()}) {
    zmq::socket_t socket(context_.zmq(), zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::sndtimeo, 1000);
    socket.connect(endpoint);
    static_cast<void>(socket.send(zmq::message_t(20 * kMiB), zmq::send_flags::none));
    ASSERT_NO_FATAL_FAILURE(ExpectServing());
  }
}

// Bytes that are not even ZeroMQ.
TEST_F(BadInputTest, BytesThatAreNoProtocolAtAllHurtNobody) {
  Subscriber subscriber(context_, config_.relay.StreamEndpoint());
  for (const std::uint16_t port :
       {config_.relay.write_port, config_.relay.control_port, config_.relay.stream_port}) {
    for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100'000, '\xff'),
                                     std::string("\xff\0\0\0\0\0\0\0\x01\x7f\x03", 11)}) {
      const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      ASSERT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
      static_cast<void>(!::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
      ASSERT_NO_FATAL_FAILURE(ExpectServing());
    }
  }
  const auto message = subscriber.Receive(Patience());
  ASSERT_TRUE(message);
  EXPECT_TRUE(*message);
}

}  // namespace
}  // namespace hawser::test
